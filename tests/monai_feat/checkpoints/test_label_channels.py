# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.networks.nets import AutoencoderKL

from monai_feat.checkpoints import CheckpointError, widen_autoencoder
from monai_feat.networks.nets import FrameAutoencoder


def build(channels: int, levels: int = 2) -> FrameAutoencoder:
    net = AutoencoderKL(
        2, channels, channels, (1,) * levels, (4,) * levels, (False,) * levels, 2, 2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    return FrameAutoencoder(net, scale_factor=3.0).eval()


@pytest.mark.parametrize("levels", [1, 3])
@torch.no_grad()
def test_latents_and_images_are_those_from_before(levels: int) -> None:
    before, after = build(3, levels), build(3 + 4, levels)
    after.load_state_dict(widen_autoencoder(before.state_dict(), 4))
    image, labels = torch.randn(2, 3, 2, 8, 8), torch.randn(2, 4, 2, 8, 8)
    latents = after.encode(torch.cat([image, labels], 1))
    torch.testing.assert_close(latents, before.encode(image))
    decoded = after.decode(latents)
    torch.testing.assert_close(decoded[:, :3], before.decode(latents))
    assert (decoded[:, 3:] == 0).all()


def test_the_new_channels_learn() -> None:
    net = build(1 + 2)
    net.load_state_dict(widen_autoencoder(build(1).state_dict(), 2))
    clips = torch.randn(1, 3, 2, 8, 8)
    for _ in range(2):  # the way in sees the labels once the way out gives them weight
        net.zero_grad()
        net(clips)[0].square().mean().backward()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter -= 0.1 * (torch.zeros(()) if parameter.grad is None else parameter.grad)
    weight = net.autoencoder.get_parameter("encoder.blocks.0.conv.weight")
    assert (weight[:, 1:] != 0).any()


def test_errors() -> None:
    with pytest.raises(ValueError, match="label_channels >= 2"):
        widen_autoencoder(build(1).state_dict(), 1)
    with pytest.raises(CheckpointError, match=r"expected the weights of a FrameAutoencoder.*got \['a'\]"):
        widen_autoencoder({"a": torch.zeros(1)}, 2)
