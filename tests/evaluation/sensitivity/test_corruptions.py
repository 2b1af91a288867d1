# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from scipy import ndimage
from torch import Generator, Tensor

from evaluation.sensitivity.corruptions import (
    CORRUPTIONS,
    blur,
    choose_few,
    flicker,
    freeze,
    noise,
    shuffle,
    speed_up,
    warp,
)
from tests.evaluation.conftest import noise_clip

CHANGING = [name for name, corruption in CORRUPTIONS.items() if corruption.change is not None]


def drawn(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def change(clip: Tensor, other: Tensor) -> float:
    return (clip.double() - other.double()).abs().mean().item()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CHANGING)
def test_levels_repeat_and_go_further_and_further(name: str, channels: int) -> None:
    clip = noise_clip(3, frames=16, size=(64, 64), channels=channels)
    before = clip.clone()
    levels = [CORRUPTIONS[name].clip(clip, level, seed=5) for level in (1, 2, 3, 4)]
    assert torch.equal(clip, before)
    assert torch.equal(levels[2], CORRUPTIONS[name].clip(clip, 3, seed=5))
    assert all(level.shape == clip.shape and level.dtype == torch.uint8 for level in levels)
    changes = [change(level, clip) for level in levels]
    if CORRUPTIONS[name].kind == "frames":
        assert 0 < changes[0] < changes[1] < changes[2] < changes[3]
    assert changes[3] > changes[0]


def test_blur_is_that_of_scipy() -> None:
    clip = noise_clip(0, frames=2, size=(32, 40))
    sigma = 4.0 / 100 * 32
    expected = ndimage.gaussian_filter(clip.double().numpy(), (0, 0, sigma, sigma), mode="nearest", radius=4)
    assert (blur(clip, 4.0, drawn()).double() - torch.from_numpy(expected)).abs().max() <= 0.51


def test_noise_and_flicker_have_the_strength_they_say() -> None:
    grey = torch.full((1, 64, 64, 64), 128, dtype=torch.uint8)
    assert noise(grey, 16.0, drawn()).double().std().item() == pytest.approx(16, rel=0.02)
    gains = flicker(grey, 8.0, drawn()).double().mean(dim=(0, 2, 3)) / 128
    assert gains.std().item() == pytest.approx(0.08, rel=0.3)


def test_a_warp_moves_and_does_not_blur() -> None:
    """A smooth deformation by less than a pixel leaves the spectrum of smooth pictures as it is."""
    clip = noise_clip(1, frames=2, size=(64, 64), channels=1)
    assert torch.equal(warp(clip, 0.0, drawn()), clip)
    strip = torch.stack([torch.sin(torch.arange(64.0) * math.tau * 0.3)] * 64)  # fine detail, 0.3 cycles per pixel
    fine = (128 + 100 * strip)[None, None].round().to(torch.uint8)
    kept = warp(fine, 0.8, drawn())[..., 16:48, 16:48].double().std() / fine[..., 16:48, 16:48].double().std()
    assert kept > 0.97


def test_times_are_moved_as_they_say() -> None:
    counting = torch.arange(16, dtype=torch.uint8).view(1, 16, 1, 1).expand(1, 16, 2, 2)
    assert speed_up(counting, 2.0, drawn())[0, :, 0, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, *range(14, -1, -2)][:16]
    frozen = freeze(counting, 50.0, drawn())[0, :, 0, 0]
    assert int((frozen.diff() == 0).sum()) == round(0.5 * 15)
    moved = shuffle(counting, 2.0, drawn())[0, :, 0, 0]
    assert sorted(moved.tolist()) == list(range(16))
    assert (moved.long() - torch.arange(16)).abs().max() <= 2


def test_a_collapse_shows_few_clips_and_as_many() -> None:
    shown = [choose_few(40, strength, drawn(2)) for strength in CORRUPTIONS["collapse"].strengths]
    assert [len(set(few.tolist())) for few in shown] == [20, 10, 5, 2]
    assert all(len(few) == 40 for few in shown)
    assert set(shown[3].tolist()) < set(shown[2].tolist()) < set(shown[1].tolist())  # nested
    assert torch.equal(CORRUPTIONS["blur"].indices(3, 1), torch.arange(3))


def test_what_cannot_be_corrupted_is_an_error() -> None:
    clip = noise_clip(0)
    with pytest.raises(ValueError, match="Blur: expected a level from 1 to 4, got 5"):
        CORRUPTIONS["blur"].clip(clip, 5)
    with pytest.raises(TypeError, match="expected a uint8 clip"):
        CORRUPTIONS["blur"].clip(clip.float(), 1)
    with pytest.raises(ValueError, match="at least two frames"):
        CORRUPTIONS["blur"].clip(clip[:, :1], 1)
