# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from monai_feat.data import PhantomClip, ultrasound_phantom
from monai_feat.data.phantoms.clip import pixel_grid
from monai_feat.data.phantoms.heart import draw_heart


def beat(seed: int, size: int, frames: int = 24) -> PhantomClip:
    """One whole beat: end diastole and end systole fall close to a frame."""
    rate = ultrasound_phantom(seed, size=16, num_frames=1).attributes["heart_rate_bpm"]
    return ultrasound_phantom(seed, size=size, num_frames=frames, frame_rate=frames * rate / 60)


def area_and_length(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Area and longest extent of each frame's cavity, in pixels, from the mask alone."""
    area = mask.sum((1, 2)).float()
    length = []
    for frame in mask:
        points = frame.nonzero().float()
        centred = points - points.mean(0)
        direction = torch.linalg.eigh(centred.T @ centred)[1][:, -1]
        along = centred @ direction
        length.append(along.max() - along.min() + 1)
    return area, torch.stack(length)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_ejection_fraction_from_the_mask_alone(seed: int) -> None:
    clip = beat(seed, size=160)
    area, length = area_and_length(clip.mask[0])
    volume = area**2 / length
    expected = clip.attributes["ejection_fraction"]
    assert 1 - volume.min() / volume.max() == pytest.approx(expected, abs=0.02)
    assert 1 - area.min() / area.max() == pytest.approx(clip.attributes["fractional_area_change"], abs=0.015)
    # Area-length formula V = 8 A² / (3 π L), in ml with 75 mm per half side; the egg adds egg²/5.
    millimetres = 75.0 / 80
    end_diastolic = 8 * volume.max() / (3 * math.pi) * millimetres**3 / 1000
    assert end_diastolic == pytest.approx(clip.attributes["end_diastolic_volume_ml"], rel=0.05)


def test_volumes_and_ejection_fraction_agree() -> None:
    a = ultrasound_phantom(7, size=16, num_frames=1).attributes
    assert 1 - a["end_systolic_volume_ml"] / a["end_diastolic_volume_ml"] == pytest.approx(a["ejection_fraction"])


def test_heart_rate_from_the_mask() -> None:
    clip = ultrasound_phantom(5, size=32, num_frames=200, frame_rate=20.0)
    area = clip.mask[0].sum((1, 2)).float()
    spectrum = torch.fft.rfft(area - area.mean(), n=4000).abs()
    assert spectrum.argmax() * 20.0 / 4000 * 60 == pytest.approx(clip.attributes["heart_rate_bpm"], rel=0.03)


def test_cavity_is_dark_and_its_wall_is_bright() -> None:
    for seed in range(4):
        clip = ultrasound_phantom(seed, num_frames=4, frame_rate=4.0)
        image, mask = clip.image.float() / 255, clip.mask.float()
        around = torch.nn.functional.max_pool2d(mask[0][:, None], 9, 1, 4)[:, 0] - mask[0]
        core = -torch.nn.functional.max_pool2d(-mask[0][:, None], 5, 1, 2)[:, 0]
        assert image[0][around > 0].mean() > 3 * image[0][core > 0].mean()


def test_outside_the_sector_is_black() -> None:
    heart = draw_heart(np.random.default_rng([1, 3]))
    image = ultrasound_phantom(3, num_frames=2).image[0]
    x, y = pixel_grid(64, 64)
    down = y + 0.97 + heart.footprint * math.cos(heart.half_angle)
    outside = torch.atan2(x.abs(), down) > heart.half_angle + 0.06 / down.clamp(min=0.1)
    assert outside.any()
    assert image[:, outside].max() == 0


def test_speckle_moves_with_the_tissue() -> None:
    clip = ultrasound_phantom(1, size=96, num_frames=2, frame_rate=60.0)
    tissue = (clip.image[0] > 30).all(0)
    first, second = clip.image[0, :, tissue].float()
    other = ultrasound_phantom(2, size=96, num_frames=1).image[0, 0][tissue].float()
    assert torch.corrcoef(torch.stack([first, second]))[0, 1] > 0.9
    assert torch.corrcoef(torch.stack([first, other]))[0, 1] < 0.6


def test_same_seed_same_clip_and_neighbours_are_close() -> None:
    clips = [ultrasound_phantom(seed).image.float() for seed in range(4)]
    assert torch.equal(clips[0], ultrasound_phantom(0).image.float())
    within = np.mean([float((clip[:, 1:] - clip[:, :-1]).abs().mean()) for clip in clips])
    between = np.mean([float((clips[i] - clips[i - 1]).abs().mean()) for i in range(4)])
    assert 0.5 < within < between / 2


def test_a_longer_clip_continues_a_shorter_one() -> None:
    short, long = ultrasound_phantom(4, num_frames=3), ultrasound_phantom(4, num_frames=9)
    assert (long.image[:, :3].int() - short.image.int()).abs().max() <= 1
    assert torch.equal(long.mask[:, :3], short.mask)


@pytest.mark.parametrize("size", [(32, 56), (48, 24)])
def test_any_size_and_one_frame(size: tuple[int, int]) -> None:
    clip = ultrasound_phantom(0, size=size, num_frames=1)
    assert clip.image.shape == clip.mask.shape == (1, 1, *size)
    assert clip.image.dtype == clip.mask.dtype == torch.uint8
    assert clip.mask.any()


def test_bad_request_is_refused() -> None:
    with pytest.raises(ValueError, match="num_frames must be at least 1, got 0"):
        ultrasound_phantom(0, num_frames=0)
