# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.reading.comparison import Comparison, open_comparison
from evaluation.reading.protocol import Protocol
from evaluation.reading.sources import Grid, SourceError, SourceOptions
from monai_feat.data.clip_listing import name_by_pattern

WriteClips = Callable[..., Path]
PROTOCOL = Protocol("strict", num_frames=4)
OPTIONS = SourceOptions(num_frames=4)


@pytest.fixture
def specs(write_clips: WriteClips) -> dict[str, str]:
    folders = {"train": write_clips("a", 5, frames=9), "fake": write_clips("b", 3, first=20)}
    return {name: str(folder) for name, folder in folders.items()}


def test_size_and_colour_are_found(specs: dict[str, str]) -> None:
    comparison = open_comparison(specs, PROTOCOL, OPTIONS)
    assert (comparison.protocol.size, comparison.protocol.colour) == ((32, 32), "rgb")
    assert comparison.warnings == ()
    assert [len(comparison.clips(name)) for name in specs] == [5, 3]
    assert len(comparison.clips("train", "cover")) == 15
    assert comparison.facts()["fake"]["clips"] == 3


def test_synthetic_clips_are_gone_through_again(specs: dict[str, str]) -> None:
    protocol = replace(PROTOCOL, fake_windows="random", max_fake=8, repeat_fake=True)
    clips = open_comparison(specs, protocol, OPTIONS).clips("fake")
    assert len(clips) == 8
    assert clips.names[:3] == clips.names[3:6]


def test_grids_are_synthetic_and_patients_real(specs: dict[str, str]) -> None:
    options = replace(OPTIONS, grid=Grid(2, 2), group=name_by_pattern(r"p\d"))
    protocol = replace(PROTOCOL, size=(32, 32), max_real=4, max_fake=6)
    comparison = open_comparison(specs, protocol, options)
    assert len(comparison.sides["train"].recordings) == 4
    assert comparison.sides["train"].recordings[0].patient == "p0"
    assert len(comparison.sides["fake"].recordings) == 6
    assert comparison.sides["fake"].recordings[0].patient == ""


def test_differences_that_mislead_are_refused(specs: dict[str, str], write_clips: WriteClips) -> None:
    fast = {**specs, "fake": str(write_clips("fast", 3, rate=30))}
    with pytest.raises(SourceError, match=r"different speeds.*\(--accept-differences"):
        open_comparison(fast, PROTOCOL, OPTIONS)
    (warning,) = [w for w in open_comparison(fast, PROTOCOL, OPTIONS, True).warnings if "speeds" in w]
    assert "--frame-rate 10" in warning


def test_copied_files_are_told_and_leaking_ones_refused(specs: dict[str, str]) -> None:
    shutil.copy(Path(specs["train"]) / "p0_0.mp4", Path(specs["fake"]) / "p0_0.mp4")
    assert (
        "1 of FAKE are files of REAL: p0_0.mp4 is the same file"
        in open_comparison(specs, PROTOCOL, OPTIONS).warnings[0]
    )
    with pytest.raises(SourceError, match="5 of HELD are not held out"):
        open_comparison({**specs, "held_out": specs["train"]}, PROTOCOL, OPTIONS)


def test_what_cannot_be_read_leaves_its_side(specs: dict[str, str]) -> None:
    comparison: Comparison = open_comparison(specs, PROTOCOL, OPTIONS)
    clips = comparison.clips("fake")
    gone = clips.names[1]
    comparison.leave_out("fake", clips, {1: f"{gone}: is damaged"})
    assert gone not in [recording.name for recording in comparison.sides["fake"].recordings]
    assert comparison.warnings == (f"1 of FAKE left out: {gone}: is damaged",)
    with pytest.raises(SourceError, match="fewer than 2 clips can be read"):
        comparison.leave_out("fake", comparison.clips("fake"), {0: "a: is damaged"})
