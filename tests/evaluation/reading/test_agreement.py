# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.reading.agreement import common_colour, common_size, differences, overlaps
from evaluation.reading.sources import Side, SourceError, SourceOptions, open_side
from monai_feat.data.clip_listing import name_by_pattern

WriteClips = Callable[..., Path]
OPTIONS = SourceOptions(num_frames=4, max_clips=4)


def opened(folder: Path, label: str = "REAL", pattern: str | None = None) -> Side:
    group = None if pattern is None else name_by_pattern(pattern)
    return open_side(label, str(folder), SourceOptions(num_frames=4, group=group))


def texts(real: Side, fake: Side, size: tuple[int, int] = (32, 32), by_stride: bool = True) -> str:
    return " | ".join(found.text for found in differences(real, fake, size, by_stride))


def test_sides_alike_have_no_differences(write_clips: WriteClips) -> None:
    real, fake = opened(write_clips("a", 3)), opened(write_clips("b", 3, first=9), "FAKE")
    assert texts(real, fake) == ""
    assert common_size([real, fake], None) == (32, 32)
    assert common_colour([real, fake], (32, 32)) == ("rgb", [])
    assert overlaps(real, fake) == []


def test_codecs(write_clips: WriteClips) -> None:
    real, fake = opened(write_clips("a", 3)), opened(write_clips("b", 3, kind="frames"), "FAKE")
    assert "REAL and FAKE are stored differently (3 h264 and 3 png frames)" in texts(real, fake)


def test_frame_rates_mislead_only_by_stride(write_clips: WriteClips) -> None:
    real, fake = opened(write_clips("a", 3, rate=30)), opened(write_clips("b", 3, rate=10), "FAKE")
    (found,) = differences(real, fake, (32, 32), by_stride=True)
    assert found.misleads
    assert "REAL has 30 frames per second and FAKE 10" in found.text
    assert "--frame-rate 10" in found.text
    assert texts(real, fake, by_stride=False) == ""
    stills = opened(write_clips("c", 3, kind="frames"), "FAKE")
    assert "frames per second" not in texts(real, stills)


def test_mixed_frame_rates_are_told(write_clips: WriteClips) -> None:
    write_clips("a", 2, rate=30)
    real = opened(write_clips("a", 2, first=5, rate=10))
    assert "REAL mixes frame rates from 10 to 30 Hz" in texts(real, real)


def test_sizes(write_clips: WriteClips) -> None:
    real, fake = opened(write_clips("a", 3, size=(48, 64))), opened(write_clips("b", 3), "FAKE")
    with pytest.raises(SourceError, match=r"different sizes \(REAL: 3 48x64; FAKE: 3 32x32\).*--size 32"):
        common_size([real, fake], None)
    assert common_size([real, fake], (40, 40)) == (40, 40)
    assert "3 of FAKE are enlarged to 64x64 (3 32x32)" in texts(real, fake, (64, 64))
    assert "only REAL is reduced to 32x32" in texts(real, fake, (32, 32))
    phantoms = open_side("FAKE", "phantom:endoscopy", OPTIONS)
    assert common_size([real, phantoms], None) == (48, 64)
    assert common_size([phantoms], None) == (64, 64)


def test_colours(write_clips: WriteClips) -> None:
    coloured, grey = opened(write_clips("a", 3)), opened(write_clips("b", 3, grey=True), "FAKE")
    assert common_colour([grey, open_side("HELD", "phantom:ultrasound", OPTIONS)], (32, 32)) == ("grey", [])
    colour, (found,) = common_colour([coloured, grey], (32, 32))
    assert colour == "rgb"
    assert found.misleads
    assert "grey against RGB: 100% of REAL, 0% of FAKE" in found.text
    mixed = Side("FAKE", "", coloured.recordings[:2] + grey.recordings[:1])
    assert not common_colour([coloured, mixed], (32, 32))[1][0].misleads
    mostly_grey = Side("REAL", "", coloured.recordings[:1] + grey.recordings)
    colour, (found,) = common_colour([mostly_grey, grey], (32, 32))
    assert colour == "grey"
    assert "25% of REAL, 0% of FAKE are in colour; the luma of all is compared" in found.text


def test_what_is_on_both_sides(write_clips: WriteClips) -> None:
    train, held = write_clips("train", 8), write_clips("held", 4, first=20)
    shutil.copy(train / "p1_5.mp4", held / "other.mp4")
    assert overlaps(opened(held), opened(train)) == ["other.mp4 is the same file as p1_5.mp4"]
    (held / "other.mp4").unlink()
    assert overlaps(opened(held), opened(train)) == []
    assert len(overlaps(opened(held, pattern=r"p\d"), opened(train, pattern=r"p\d"))) == 4
