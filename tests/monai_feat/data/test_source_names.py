# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.data import (
    ClipItem,
    DatalistError,
    build_datalist,
    held_out_source,
    list_clips,
    list_held_out,
    open_clips,
    read_datalist,
    write_datalist,
    write_mp4,
)
from monai_feat.data.source_names import datalist_of, items_of, parse_phantom

PATIENTS = [f"p{number}" for number in range(5)]


@pytest.fixture
def datalist(tmp_path: Path) -> Path:
    """A datalist of five patients with two clips each, of whom one is held out, in a folder with a blank."""
    folder = tmp_path / "my clips"
    folder.mkdir()
    items = [ClipItem(folder / f"{patient}_{clip}.mp4", group=patient) for patient in PATIENTS for clip in range(2)]
    for item in items:
        write_mp4(torch.zeros(1, 4, 16, 16, dtype=torch.uint8), item.image, 10.0)
    write_datalist(build_datalist(items, num_folds=2, test_groups=["p3"]), folder / "datalist.json")
    return folder / "datalist.json"


def names(source: str | Path) -> set[str]:
    return {Path(item["image"]).name for item in list_clips(source)}


def test_the_sides_of_a_datalist_are_those_that_were_written(datalist: Path) -> None:
    written = read_datalist(datalist)
    assert names(datalist) == names(f"{datalist}:training") == {item.image.name for item in written.training}
    assert names(f"{datalist}:testing") == {"p3_0.mp4", "p3_1.mp4"}
    assert names(f"{datalist}:all") == names(datalist) | names(f"{datalist}:testing") == names(datalist.parent)
    folds = [names(f"{datalist}:fold{number}") for number in (0, 1)]
    assert folds[0] | folds[1] == names(datalist)
    assert not folds[0] & folds[1]


def test_an_unknown_side_is_an_error_that_lists_those_there_are(datalist: Path) -> None:
    with pytest.raises(DatalistError, match=r"'fold7'; there are training, testing, all, fold0, fold1; write .*:train"):
        items_of(f"{datalist}:fold7")


def test_what_is_no_datalist_is_none(datalist: Path) -> None:
    assert datalist_of(datalist.parent) is None
    assert items_of("clip.mp4") is None
    (folder := datalist.parent / "a.json").mkdir()
    assert datalist_of(folder) is None


def test_a_phantom_has_the_seed_in_its_name(datalist: Path) -> None:
    assert parse_phantom("phantom:endoscopy").seed is None
    with pytest.raises(ValueError, match=r"phantom:NAME:SEED, got 'phantom:endoscopy:x'"):
        list_clips("phantom:endoscopy:x")
    options = {"num_frames": 2, "size": 16}
    named = open_clips("phantom:endoscopy:5", 1, seed=1, **options)[0]["image"]  # type: ignore[arg-type]
    torch.testing.assert_close(named, open_clips("phantom:endoscopy", 1, seed=5, **options)[0]["image"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "held_out"),
    [("phantom:ultrasound", "phantom:ultrasound"), ("phantom:ultrasound:4", "phantom:ultrasound:5"), ("clips", None)],
)
def test_held_out_clips_of_phantoms_and_folders(source: str, held_out: str | None) -> None:
    assert held_out_source(source) == held_out


def test_the_held_out_side_of_a_datalist_never_trains(datalist: Path) -> None:
    side = held_out_source(datalist)
    assert side == f"{datalist}:testing"
    assert not names(side) & names(datalist)
    assert list_held_out(side, datalist) == list_clips(side)
    for other in (f"{datalist}:fold0", f"{datalist}:testing", f"{datalist}:all"):
        assert held_out_source(other) is None


def test_clips_that_train_do_not_validate(datalist: Path) -> None:
    link = datalist.parent / "link.mp4"
    link.symlink_to(datalist.parent / "p0_0.mp4")
    for source, training in ((datalist, datalist), (f"{datalist}:fold0", datalist), (link, datalist)):
        with pytest.raises(ValueError, match=r"also train, in .*--test-share"):
            list_held_out(source, training)
    with pytest.raises(ValueError, match="also train"):
        list_held_out("phantom:ultrasound:1", "phantom:ultrasound:1")
    assert list_held_out("phantom:ultrasound", "phantom:ultrasound")


def test_a_datalist_that_holds_nobody_out_has_no_such_side(datalist: Path) -> None:
    everybody = read_datalist(datalist).training
    write_datalist(build_datalist(everybody, num_folds=2), datalist)
    assert held_out_source(datalist) is None
