# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from evaluation.memorisation.poses import POSES, Pose, PoseSearch

MAPS = torch.randn(6, 64, 64, generator=torch.Generator().manual_seed(0))
MAPS = torch.nn.functional.avg_pool2d(MAPS[:, None], 5, 1, 2)[:, 0]


@pytest.mark.parametrize("pose", POSES, ids=str)
def test_a_clip_in_any_pose_is_found_with_its_pose(pose: Pose) -> None:
    inverse = Pose(1 / pose.zoom, pose.upside_down, pose.mirrored)
    peaks, poses = PoseSearch(MAPS)(-inverse.apply(MAPS[None], 64)[0, 4])
    assert int(peaks.argmax()) == 4
    assert POSES[int(poses[4])] == pose


def test_peaks_of_shifted_clips_are_those_of_a_slow_search() -> None:
    peaks, _ = PoseSearch(MAPS)(MAPS[2].roll((8, 16), (0, 1)))  # whole pixels of 40, too
    assert peaks[2] == pytest.approx(1, abs=0.15)
    assert peaks[[0, 1, 3, 4, 5]].max() < 0.4


def test_a_window_of_a_quarter_is_found_in_another_scene() -> None:
    mixed = MAPS[0].clone()
    mixed[:32, 32:] = MAPS[3][16:48, 16:48]
    peaks, _ = PoseSearch(MAPS[1:])(mixed)
    assert int(peaks.argmax()) == 2
