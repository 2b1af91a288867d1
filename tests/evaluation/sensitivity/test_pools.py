# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from evaluation.reading.sources import SourceError, SourceOptions
from evaluation.sensitivity.pools import PoolOptions, open_pool
from monai_feat.data import PhantomDataset
from monai_feat.data.clip_listing import name_by_pattern

WriteClips = Callable[..., Path]
READING = SourceOptions(num_frames=4, group=name_by_pattern(r"p(\d)"))


def test_phantoms_are_others_for_each_seed_unless_one_is_named() -> None:
    options = PoolOptions(5, (32, 32), SourceOptions(num_frames=4))
    first, second = (open_pool("phantom:ultrasound", options, seed) for seed in (1, 2))
    assert (len(first), tuple(first[0].shape), len(set(first.groups))) == (5, (1, 4, 32, 32), 5)
    assert not torch.equal(first[0], second[0])
    expected = PhantomDataset("ultrasound", 1, seed=2, size=32, num_frames=4).clip(0).image
    torch.testing.assert_close(second[0].int(), expected.int(), atol=1, rtol=0)
    assert torch.equal(open_pool("phantom:ultrasound:1", options, 2)[0], first[0])


def test_clips_are_spread_over_the_folder_and_windows_move_with_the_seed(write_clips: WriteClips) -> None:
    folder = write_clips("clips", 8, frames=12)
    first, second = (open_pool(str(folder), PoolOptions(4, None, READING), seed) for seed in (0, 1))
    assert first.names == second.names
    assert len(first) == 4
    assert first[0].shape == (3, 4, 32, 32)
    assert set(first.groups) <= {"0", "1", "2", "3"}
    assert any(not torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_sizes_must_be_one_or_asked_for(write_clips: WriteClips) -> None:
    write_clips("clips", 3)
    folder = write_clips("clips", 3, first=5, size=(48, 48))
    with pytest.raises(SourceError, match="different sizes"):
        open_pool(str(folder), PoolOptions(8, None, READING), 0)
    assert open_pool(str(folder), PoolOptions(8, (40, 40), READING), 0)[5].shape == (3, 4, 40, 40)
