# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monai_feat.data.clip_plan import ClipPlanner
from monai_feat.data.video_reader import VideoReadError
from monai_feat.transforms.video.functional import FrameSampling
from tests.monai_feat.data.folder_search import layouts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.save(tmp_path / "a.npy", np.zeros((30, 8, 10), np.uint8))
    return tmp_path / "a.npy"


def test_clips_lie_in_their_own_parts_of_the_file(path: Path) -> None:
    planner = ClipPlanner(4, FrameSampling(4, stride=2), clips_per_video=3)
    plans = [planner.plan(path, None, number) for number in range(40)]
    starts = np.array([[int(window[0]) for window in plan.windows] for plan in plans])
    assert all((plan.windows.diff() == 2).all() and plan.size == (8, 10) for plan in plans)
    # 24 places for a start (30 frames, 7 needed), a third of them for each clip.
    for part in range(3):
        assert starts[:, part].min() >= 8 * part
        assert starts[:, part].max() < 8 * (part + 1)
        assert len(set(starts[:, part])) > 4
    again = ClipPlanner(4, FrameSampling(4, stride=2), clips_per_video=3).plan(path, None, 7)
    assert np.array_equal(again.windows, plans[7].windows)


def test_too_few_frames_are_refused_or_played_to_and_fro(path: Path) -> None:
    with pytest.raises(VideoReadError, match=r"has 30 frames; 31 are needed for 16 frames at this stride"):
        ClipPlanner(16, FrameSampling(16, stride=2)).plan(path, None, 0)
    (window,) = ClipPlanner(40, FrameSampling(40), on_short="loop").plan(path, None, 0).windows
    assert window.tolist() == [*range(30), *range(28, 18, -1)]


def test_a_rate_needs_one_and_a_still_needs_none(path: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoReadError, match=r"a\.npy: .*rate"):
        ClipPlanner(4, FrameSampling(4, frame_rate=5.0)).plan(path, None, 0)
    still = layouts.save(tmp_path / "b.png", layouts.picture())
    plan = ClipPlanner(1, FrameSampling(1, frame_rate=5.0)).plan(still, None, 0)
    assert (plan.windows.tolist(), plan.frame_rate) == ([[0]], 0.0)
