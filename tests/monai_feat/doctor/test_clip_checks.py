# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from monai_feat.data import PhantomDataset
from monai_feat.doctor.clip_checks import find_cuts, is_static, uneven_times
from monai_feat.doctor.fingerprint import thumbnails


def phantom_thumbs(kind: str, count: int) -> list[Tensor]:
    dataset = PhantomDataset(kind, count, seed=9, size=64, num_frames=16)
    return [thumbnails(dataset.clip(i).image) for i in range(count)]


@pytest.mark.parametrize("kind", ["ultrasound", "endoscopy"])
def test_cuts_are_found_and_motion_is_none(kind: str) -> None:
    clips = phantom_thumbs(kind, 6)
    assert [find_cuts(clip) for clip in clips] == [[]] * 6
    joined = [torch.cat([a[:9], b[9:]]) for a, b in itertools.permutations(clips, 2)]
    found = [find_cuts(clip) == [9] for clip in joined]
    assert np.mean(found) >= 0.96


def test_a_flash_and_repeated_frames_are_no_cuts() -> None:
    clip = phantom_thumbs("ultrasound", 1)[0]
    flash = clip.clone()
    flash[7] = 255
    assert find_cuts(flash) == []
    assert find_cuts(clip.repeat_interleave(3, 0)) == []
    assert find_cuts(clip[:1]) == []


def test_static_means_that_nothing_moves() -> None:
    clip = phantom_thumbs("endoscopy", 1)[0]
    assert is_static(clip[:1].expand(5, -1, -1))
    assert not is_static(clip)
    assert not is_static(clip[:1])


def test_uneven_times() -> None:
    assert uneven_times([0, 40, 80, 120]) == 0
    assert uneven_times([0, 40, 81, 120]) == 0
    assert uneven_times([0, 40, 80, 240]) == 4
    assert uneven_times([0, 500]) == 0
