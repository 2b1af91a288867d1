# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.data import endoscopy_phantom
from monai_feat.data.phantoms.clip import frame_times
from monai_feat.data.phantoms.tunnel import Tunnel, draw_tunnel


def march(scene: Tunnel, time: float, size: int) -> np.ndarray:
    """Which pixels show the polyp, by stepping along every ray until it meets the wall, a fold or the polyp."""
    pan_x, pan_y, roll, offset_x, offset_y = (float(d.at(torch.tensor(time))) for d in scene.drifts)
    camera = scene.speed * time
    grid = (np.arange(size) + 0.5 - size / 2) / (size / 2)
    x, y = np.meshgrid(grid, grid)
    in_view = (2 - scene.corner_cut - abs(x) - abs(y)) >= 0
    x, y = math.cos(roll) * x + math.sin(roll) * y, math.cos(roll) * y - math.sin(roll) * x
    ray = np.stack([(x - pan_x) / scene.focal, (y - pan_y) / scene.focal])
    assert scene.polyp is not None

    def axis(z: float) -> np.ndarray:
        bend, rate = np.array(scene.bend), np.array(scene.bend_rate)
        centre = (bend + rate * camera) * z**2 / 2 + rate * z**3 / 6 - np.array([offset_x, offset_y])
        return centre[:, None, None]

    polyp = scene.polyp
    at = polyp.position - camera
    centre = axis(at) + polyp.height * np.array([math.cos(polyp.angle), math.sin(polyp.angle)])[:, None, None]
    folds = [(p - camera, reach, angle) for p, reach, angle in scene.folds.table(12.0)]
    shown, blocked = np.zeros((size, size), bool), np.zeros((size, size), bool)
    step = 0.002
    for z in np.arange(0.1, at + polyp.radius, step):
        beside = ray * z - axis(z)
        radius = np.hypot(*beside)
        for fold_at, reach, angle in folds:
            if z - step < fold_at <= z and z > 0.3:
                lobes = np.cos(3 * (np.arctan2(beside[1], beside[0]) - angle))
                blocked |= ~shown & (radius > 1 - reach * (1 + scene.folds.lobes * lobes))
        blocked |= ~shown & (radius > 1)
        shown |= ~blocked & (((ray * z - centre) ** 2).sum(0) + (z - at) ** 2 < polyp.radius**2)
    return shown & in_view


@pytest.mark.parametrize("seed", [2, 3, 6])
def test_mask_agrees_with_ray_marching(seed: int) -> None:
    clip = endoscopy_phantom(seed, size=48, num_frames=11, frame_rate=10.0, polyp_probability=1.0)
    truth = march(draw_tunnel(np.random.default_rng([0, seed]), 1.0), 1.0, 48)
    mask = clip.mask[0, 10].numpy().astype(bool)
    assert truth.sum() > 30
    assert (mask & truth).sum() / (mask | truth).sum() > 0.93


def test_mask_is_where_the_polyp_changes_the_image() -> None:
    changed_inside, changed_outside = [], []
    for seed in range(8):
        shown = endoscopy_phantom(seed, num_frames=4, frame_rate=3.0, polyp_probability=1.0)
        plain = endoscopy_phantom(seed, num_frames=4, frame_rate=3.0, polyp_probability=0.0)
        change = (shown.image.int() - plain.image.int()).abs().amax(0)
        mask = shown.mask[0].float()
        border = F.max_pool2d(mask[:, None], 5, 1, 2)[:, 0] > 0
        changed_inside.append((change[mask > 0] > 3).float().mean())
        changed_outside.append(change[~border].max())
        assert plain.mask.sum() == 0
        assert plain.attributes["polyp_diameter_mm"] == 0
    assert torch.stack(changed_inside).mean() > 0.95
    assert max(changed_outside) == 0


def test_same_seed_same_clip_and_other_seed_other_clip() -> None:
    first, again, other = endoscopy_phantom(1), endoscopy_phantom(1), endoscopy_phantom(2)
    assert torch.equal(first.image, again.image)
    assert torch.equal(first.mask, again.mask)
    assert first.attributes == again.attributes
    assert (first.image.float() - other.image.float()).abs().mean() > 5


def test_a_longer_clip_continues_a_shorter_one() -> None:
    short, long = endoscopy_phantom(4, num_frames=3), endoscopy_phantom(4, num_frames=9)
    assert (long.image[:, :3].int() - short.image.int()).abs().float().mean() < 0.05


def test_larger_size_shows_the_same_scene() -> None:
    small, large = endoscopy_phantom(3, size=32, num_frames=2), endoscopy_phantom(3, size=64, num_frames=2)
    reduced = F.avg_pool2d(large.image.float(), 2)
    assert (reduced - small.image).abs().mean() < 6


def difference(a: Tensor, b: Tensor) -> float:
    return float((a.float() - b.float()).abs().mean())


def test_neighbouring_frames_are_closer_than_clips() -> None:
    clips = [endoscopy_phantom(seed).image for seed in range(4)]
    within = np.mean([difference(clip[:, 1:], clip[:, :-1]) for clip in clips])
    between = np.mean([difference(clips[i], clips[i - 1]) for i in range(4)])
    assert 0.2 < within < between / 4


def test_polyps_come_as_often_as_asked_and_are_seen() -> None:
    clips = [endoscopy_phantom(seed, size=32, num_frames=4) for seed in range(60)]
    present = [bool(clip.attributes["polyp_present"]) for clip in clips]
    assert 0.7 < np.mean(present) < 0.97
    assert [bool(clip.mask.any()) for clip in clips] == present


def test_polyp_stays_behind_once_passed() -> None:
    clip = endoscopy_phantom(3, num_frames=13, frame_rate=1.0, polyp_probability=1.0)
    assert clip.mask[0, 1].any()
    assert not clip.mask[0, 12].any()


def test_the_lumen_is_dark_and_tissue_is_red() -> None:
    for seed in range(6):
        image = endoscopy_phantom(seed, num_frames=1, polyp_probability=0.0).image[:, 0].float()
        red, green, blue = image
        tissue = red > 100
        assert tissue.float().mean() > 0.4
        assert red[tissue].mean() > 1.2 * green[tissue].mean()
        assert green.sum() > 0.8 * blue.sum()
        assert red[16:48, 16:48].min() < 40
        assert image[:, 0, 0].max() == 0


@pytest.mark.parametrize("size", [(32, 56), (48, 24)])
def test_any_size_and_one_frame(size: tuple[int, int]) -> None:
    clip = endoscopy_phantom(0, size=size, num_frames=1)
    assert clip.image.shape == (3, 1, *size)
    assert clip.mask.shape == (1, 1, *size)
    assert clip.image.dtype == clip.mask.dtype == torch.uint8


def test_speed_attribute_is_how_fast_the_camera_travels() -> None:
    scene = draw_tunnel(np.random.default_rng([0, 9]), 1.0)
    clip = endoscopy_phantom(9, size=16, num_frames=1)
    assert clip.attributes["speed_mm_per_s"] == pytest.approx(scene.speed * scene.radius_mm)
    assert float(frame_times(11, 10.0)[-1]) == pytest.approx(1.0)


def test_impossible_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"polyp_probability must be in \[0, 1\], got 1.5"):
        endoscopy_phantom(0, polyp_probability=1.5)
