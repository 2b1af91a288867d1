# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.reading.sources import DEFAULT_PHANTOMS, Grid, SourceError, SourceOptions, open_side, parse_grid
from monai_feat.data import VideoReadError, build_datalist, write_datalist
from monai_feat.data.clip_listing import list_folder, name_by_pattern
from monai_feat.data.datalist import DatalistError
from monai_feat.data.folder_search.contents import search_folder

WriteClips = Callable[..., Path]
SHORT = SourceOptions(num_frames=4)


def test_a_folder_in_natural_order_with_patients(write_clips: WriteClips) -> None:
    folder = write_clips("clips", 12)
    side = open_side("REAL", str(folder), SourceOptions(num_frames=4, group=name_by_pattern(r"p(\d+)_")))
    assert [r.name for r in side.recordings][:2] == ["p0_0.mp4", "p0_4.mp4"]
    assert sorted({r.group for r in side.recordings}) == ["0", "1", "2", "3"]
    facts = side.facts()
    assert (facts["clips"], facts["groups"], facts["codec"], facts["size"]) == (12, 4, {"h264": 12}, {"32x32": 12})
    assert facts["frame_rate"]["median"] == 10


def test_the_first_so_many(write_clips: WriteClips) -> None:
    side = open_side("REAL", str(write_clips("clips", 5)), SourceOptions(num_frames=4, max_clips=3))
    assert len(side.recordings) == 3


def test_a_datalist_brings_its_groups(write_clips: WriteClips) -> None:
    folder = write_clips("clips", 12)
    items = list_folder(search_folder(folder), group=name_by_pattern(r"p\d+"))
    write_datalist(build_datalist(items, num_folds=2, test_groups=["p3"]), folder / "datalist.json")
    spec = str(folder / "datalist.json")
    training, testing = (open_side("REAL", spec + choice, SHORT) for choice in ("", ":testing"))
    assert {r.group for r in training.recordings} == {"p0", "p1", "p2"}
    assert {r.group for r in testing.recordings} == {"p3"}
    folds = [open_side("REAL", f"{spec}:fold{number}", SHORT) for number in (0, 1)]
    assert sum(len(side.recordings) for side in folds) == len(training.recordings)
    with pytest.raises(DatalistError, match=r"'fold7'.*training, testing, all, fold0, fold1"):
        open_side("REAL", f"{spec}:fold7", SHORT)


def test_phantoms_by_seed() -> None:
    sides = [open_side("REAL", f"phantom:ultrasound{seed}", SHORT) for seed in ("", ":0", ":5")]
    digests = [[r.digest for r in side.recordings] for side in sides]
    assert digests[0] == digests[1]
    assert not set(digests[0]) & set(digests[2])
    assert len(digests[0]) == DEFAULT_PHANTOMS
    with pytest.raises(ValueError, match="expected phantom:NAME or phantom:NAME:SEED"):
        open_side("REAL", "phantom:ultrasound:x", SHORT)
    with pytest.raises(ValueError, match="unknown phantom 'brain'"):
        open_side("REAL", "phantom:brain", SHORT)


def test_a_grid_is_cut_into_recordings(write_clips: WriteClips) -> None:
    side = open_side("FAKE", str(write_clips("grid", 2)), SourceOptions(num_frames=4, grid=Grid(2, 4)))
    assert len(side.recordings) == 16
    assert {r.size for r in side.recordings} == {(16, 8)}
    with pytest.raises(VideoReadError, match="too few for 99x1 samples"):
        open_side("FAKE", str(write_clips("grid", 2)), SourceOptions(num_frames=4, grid=Grid(99, 1)))


def test_grids_by_name() -> None:
    assert parse_grid("4x3", 2) == Grid(4, 3, 2)
    with pytest.raises(ValueError, match="rows x columns"):
        parse_grid("4")


def test_clips_that_are_too_short_are_counted_and_named(write_clips: WriteClips) -> None:
    folder = write_clips("clips", 3, frames=6)
    write_clips("clips", 2, first=10, frames=3)
    with pytest.raises(SourceError, match=r"2 of 5 clips are shorter than 4 frames.*p2_10.mp4 \(3\), p3_11.mp4"):
        open_side("FAKE", str(folder), SHORT)
    side = open_side("FAKE", str(folder), SourceOptions(num_frames=4, on_bad="skip"))
    assert len(side.recordings) == 3
    assert side.skipped == ["p2_10.mp4 (3): too short", "p3_11.mp4 (3): too short"]


def test_unreadable_files_are_named_or_left_out(write_clips: WriteClips) -> None:
    folder = write_clips("clips", 3)
    (folder / "broken.mp4").write_bytes(b"not a video")
    with pytest.raises(VideoReadError, match=r"broken\.mp4"):
        open_side("REAL", str(folder), SHORT)
    side = open_side("REAL", str(folder), SourceOptions(num_frames=4, on_bad="skip"))
    assert len(side.recordings) == 3
    assert "broken.mp4" in side.skipped[0]


def test_too_few_clips(write_clips: WriteClips, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no clips in this folder"):
        open_side("REAL", str(tmp_path / "empty"), SHORT)
    with pytest.raises(SourceError, match=re.escape("REAL") + r".*1 usable clips; a distance needs at least 2"):
        open_side("REAL", str(write_clips("one", 1)), SHORT)


def test_frame_rates(write_clips: WriteClips) -> None:
    folder = str(write_clips("clips", 2, rate=20))
    side = open_side("REAL", folder, SourceOptions(num_frames=3, frame_rate=10))
    assert SourceOptions(num_frames=3, frame_rate=10).offsets(side.recordings[0].frame_rate) == [0, 2, 4]
    assert SourceOptions(num_frames=3, frame_rate=8).offsets(20) == [0, 3, 5]
    with pytest.raises(VideoReadError, match="has 20 frames per second; 25 were asked for"):
        open_side("REAL", folder, SourceOptions(num_frames=3, frame_rate=25))
    with pytest.raises(VideoReadError, match="has no frame rate"):
        open_side("REAL", str(write_clips("stills", 2, kind="frames")), SourceOptions(num_frames=3, frame_rate=5))
