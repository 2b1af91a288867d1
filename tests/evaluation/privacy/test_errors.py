# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from evaluation.privacy.errors import RATIOS, denoising_error, difficulty, measure_errors


class Pixels(nn.Module):
    """An autoencoder of which latents are pixels, and which loses the last columns."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def encode(self, x: Tensor) -> Tensor:
        if x.shape[1] != 1:
            raise RuntimeError("expected one channel\nand a trace")
        return x

    def decode(self, z: Tensor) -> Tensor:
        return torch.cat([z[..., :-2], torch.zeros_like(z[..., -2:])], dim=-1)


def test_an_identity_leaves_the_noise_and_an_oracle_nothing() -> None:
    latents = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    noise = denoising_error(lambda noisy, ratio: noisy, latents)
    torch.testing.assert_close(noise, torch.tensor(RATIOS).double().square(), rtol=0.05, atol=0)
    assert denoising_error(lambda noisy, ratio: latents[None].expand_as(noisy), latents).max() == 0


def test_the_errors_of_one_clip_do_not_depend_on_the_others() -> None:
    clips = [torch.randint(0, 256, (1, 3, 8, 8), generator=torch.Generator().manual_seed(i)).byte() for i in range(3)]
    together = measure_errors(lambda noisy, ratio: noisy / (1 + ratio**2), Pixels(), clips)
    alone = measure_errors(lambda noisy, ratio: noisy / (1 + ratio**2), Pixels(), clips[2:])
    assert together.errors.shape == (len(RATIOS) + 1, 3) == (len(together.names), 3)
    torch.testing.assert_close(together.errors[:, 2:], alone.errors)
    lost = (clips[0][..., -2:].double() / 127.5 - 1).square().sum() / clips[0].numel()
    assert together.errors[-1, 0].exp() == pytest.approx(float(lost), rel=0.02)


def test_difficulty_is_the_power_of_a_wave() -> None:
    wave = torch.cos(torch.arange(64) * torch.pi / 2)  # 1, 0, -1, 0
    along_time, along_rows = wave[None, :, None, None].expand(1, 64, 8, 64), wave.expand(1, 8, 64, 64)
    torch.testing.assert_close(difficulty(along_time).exp()[:2], torch.tensor([0.5, 1.0]).double())
    torch.testing.assert_close(difficulty(along_rows).exp()[[0, 2]], torch.tensor([0.5, 1.0]).double())
    assert difficulty(along_rows)[1] < -20
    assert difficulty(torch.ones(1, 1, 8, 8)).isfinite().all()


def test_clips_that_do_not_suit_the_weights_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"do not take clips of \(3, 2, 8, 8\): expected one channel$"):
        measure_errors(lambda noisy, ratio: noisy, Pixels(), [torch.zeros(3, 2, 8, 8, dtype=torch.uint8)])
