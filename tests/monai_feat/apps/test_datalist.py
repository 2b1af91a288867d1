# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.apps.datalist import main
from monai_feat.data.datalist import read_datalist


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for patient in range(6):
        for name in ("a.mp4", "b.avi"):
            file = tmp_path / "clips" / f"pat{patient}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            (file.with_name(f"{file.stem}_mask.nii.gz")).touch()
    return tmp_path / "clips"


def test_a_folder_becomes_a_datalist(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "d.json"
    rules = ["--group-level", "1", "--mask-suffix", "_mask", "--test-groups", "pat2"]
    assert main([str(clips), "--out", str(out), "--folds", "2", *rules]) == 0
    datalist = read_datalist(out)
    assert len(datalist.training) == 10
    assert {item.group for item in datalist.testing} == {"pat2"}
    assert all(item.label is not None and item.label.is_file() for _, item in datalist.sides)
    assert "testing       2 clips of    1 groups" in capsys.readouterr().out


def test_a_pattern_and_a_table_give_the_same_groups(clips: Path, tmp_path: Path) -> None:
    files = sorted(clips.rglob("*.mp4")) + sorted(clips.rglob("*.avi"))
    table = tmp_path / "t.csv"
    table.write_text("file,who\n" + "".join(f"{file},{file.parent.name[3:]}\n" for file in files))
    columns = ["--image-column", "file", "--group-column", "who"]
    assert main([str(table), *columns, "--folds", "3", "--out", str(tmp_path / "a.json")]) == 0
    rules = ["--group-regex", r"pat(\d)", "--mask-suffix", "_mask"]
    assert main([str(clips), *rules, "--folds", "3", "--out", str(tmp_path / "b.json")]) == 0
    first, second = (
        {(item.image, item.group, item.fold) for item in read_datalist(tmp_path / name).training}
        for name in ("a.json", "b.json")
    )
    assert first == second


def test_groups_that_nobody_named_are_pointed_out(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(clips), "--folds", "2", "--out", str(tmp_path / "d.json")]) == 0
    assert "one patient may be on two sides" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "7", "--group-level", "1"], "at most 6 folds"),
        (["--group-column", "who"], "--group-column: cannot be used with a folder"),
        (["--group-level", "3"], "there is no level 3"),
        (["--test-groups", "nobody"], "are in no item"),
    ],
)
def test_what_cannot_be_built_exits_with_2_and_writes_nothing(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([str(clips), "--out", str(tmp_path / "d.json"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "d.json").exists()


def test_a_data_sets_own_table_brings_its_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("0XA", "0XB", "0XC"):
        (tmp_path / "Videos").mkdir(exist_ok=True)
        (tmp_path / "Videos" / f"{name}.avi").touch()
    table = tmp_path / "FileList.csv"
    table.write_text("FileName,EF,Split\n0XA,50,TRAIN\n0XB,51,VAL\n0XC,52,TEST\n0XD,52,TEST\n")
    out = tmp_path / "d.json"
    assert main([str(table), "--out", str(out)]) == 2
    assert "1 of its names are not there (0XD); fetch them, or leave them out" in capsys.readouterr().err
    assert main([str(table), "--missing", "leave-out", "--out", str(out)]) == 0
    datalist = read_datalist(out)
    assert [(side, item.image.name) for side, item in datalist.sides] == [
        ("always training", "0XA.avi"), ("fold 0", "0XB.avi"), ("testing", "0XC.avi"),
    ]  # fmt: skip
    assert main([str(table), "--missing", "leave-out", "--folds", "3", "--out", str(out)]) == 0
    assert {item.fold for item in read_datalist(out).training} == {0, 1, 2}


def test_what_was_seen_and_left_is_said(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clips / "notes.txt").touch()
    assert main([str(clips), "--folds", "2", "--out", str(tmp_path / "d.json")]) == 0
    said = capsys.readouterr().err
    assert "12 clips (12 files). 12 files are taken for masks" in said
    assert "Left out: 1 is a text (notes.txt)" in said
    assert all(item.label for item in read_datalist(tmp_path / "d.json").training)
