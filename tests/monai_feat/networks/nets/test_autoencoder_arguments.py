# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.networks.nets import AutoencoderKL, VarAutoEncoder

from monai_feat.networks.nets import StableDiffusionAutoencoder
from monai_feat.networks.nets.autoencoder_arguments import build_autoencoder, describe_autoencoder

PLAIN: dict[str, Any] = {
    "spatial_dims": 2, "in_channels": 1, "out_channels": 1, "num_res_blocks": [1, 2], "channels": [4, 8],
    "attention_levels": [False, True], "latent_channels": 3, "norm_num_groups": 2,
}  # fmt: skip


@pytest.mark.parametrize("middle", [False, True])
def test_what_is_read_off_makes_the_same_network(middle: bool) -> None:
    given = {**PLAIN, "with_encoder_nonlocal_attn": middle, "with_decoder_nonlocal_attn": not middle}
    network = AutoencoderKL(**given).eval()
    described = describe_autoencoder(network)
    assert {key: described[key] for key in given} == given
    again = build_autoencoder(described).eval()
    again.load_state_dict(network.state_dict())
    frame = torch.randn(1, 1, 8, 8)
    torch.testing.assert_close(again.encode(frame), network.encode(frame))


def test_stable_diffusion_s_keeps_its_class() -> None:
    network = StableDiffusionAutoencoder(channels=(4, 8), num_res_blocks=1, norm_num_groups=4)
    again = build_autoencoder(describe_autoencoder(network))
    assert type(again) is StableDiffusionAutoencoder
    again.load_state_dict(network.state_dict())


def test_a_network_that_was_changed_is_refused() -> None:
    network = AutoencoderKL(**PLAIN)
    network.quant_conv_mu = torch.nn.Identity()  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"cannot be made of its arguments alone; it differs in .*quant_conv_mu"):
        describe_autoencoder(network)


def test_other_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot describe a VarAutoEncoder; expected AutoencoderKL or Stable"):
        describe_autoencoder(VarAutoEncoder(2, (8, 8, 1), 1, 2, (2,), (2,)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown kind of autoencoder 'VQVAE'; known are AutoencoderKL"):
        build_autoencoder({"kind": "VQVAE"})
