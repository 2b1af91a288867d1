# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import DataLoader
from monai.networks.nets import AutoencoderKL
from torch import Tensor, nn

from monai_feat.data import ClipIndexDataset, LatentDataset, PhantomDataset
from monai_feat.networks.nets import FrameAutoencoder


class Counting(nn.Module):
    """Encodes to the clip's mean and a constant, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def encode_moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.calls += 1
        assert not torch.is_grad_enabled()
        return x.mean(dim=(-2, -1), keepdim=True), torch.full_like(x[..., :1, :1], -2.0)


def clips(count: int) -> list[dict[str, Any]]:
    return [{"image": torch.full((1, 2, 4, 4), float(i)), "source": f"{i}.mp4"} for i in range(count)]


def test_each_clip_is_encoded_once() -> None:
    encoder = Counting()
    latents = LatentDataset(clips(3), encoder)  # type: ignore[arg-type]
    assert encoder.calls == 0
    for _ in range(3):
        for batch in DataLoader(latents, batch_size=2, shuffle=True):
            assert sorted(batch) == ["latent_log_variance", "latent_mean"]
    assert encoder.calls == len(latents) == 3


def test_items_are_moments_and_not_samples() -> None:
    net = AutoencoderKL(
        2, 1, 1, (1, 1), (4, 4), (False, False), 2, 2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    autoencoder = FrameAutoencoder(net, scale_factor=3.0)
    phantoms = PhantomDataset("ultrasound", length=2, size=16, num_frames=2)
    item = LatentDataset(phantoms, autoencoder)[1]
    mean, log_variance = autoencoder.encode_moments(phantoms[1]["image"][None])
    torch.testing.assert_close(item, {"latent_mean": mean[0], "latent_log_variance": log_variance[0]})
    assert not any(moment.requires_grad for moment in item.values())
    again = LatentDataset(phantoms, autoencoder)[1]
    torch.testing.assert_close(item, again, rtol=0, atol=0)


def test_asking_beyond_the_end_is_the_data_sets_error() -> None:
    with pytest.raises(IndexError):
        LatentDataset(clips(2), Counting())[2]  # type: ignore[arg-type]


def test_indices_start_at_the_first() -> None:
    batches = [batch["image"].tolist() for batch in DataLoader(ClipIndexDataset(5, first=7), batch_size=3)]
    assert batches == [[7, 8, 9], [10, 11]]
    assert [item["image"].item() for item in ClipIndexDataset(2)] == [0, 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("num_clips", "first"), [(-1, 0), (1, -1)])
def test_refuses_negative_numbers(num_clips: int, first: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        ClipIndexDataset(num_clips, first)


def test_an_index_outside_is_an_error() -> None:
    with pytest.raises(IndexError, match="index 3 is outside 0 … 2"):
        ClipIndexDataset(3)[3]
