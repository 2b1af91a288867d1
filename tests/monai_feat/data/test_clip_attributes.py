# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from monai_feat.data import open_clips, write_mp4, write_phantoms
from monai_feat.data.clip_attributes import read_attributes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        write_mp4(torch.randint(0, 256, (3, 2, 16, 16), dtype=torch.uint8), tmp_path / f"{name}.mp4", 10)
    return tmp_path


def write(folder: Path, *lines: str) -> Path:
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder / "table.csv"


def open_with(folder: Path, table: Path, num_clips: int = 4) -> list[dict[str, float]]:
    clips = open_clips(folder, num_clips, num_frames=2, size=16, attributes=table)
    return [clips[index]["attributes"] for index in range(num_clips)]


def test_clips_get_the_numbers_of_their_line(folder: Path) -> None:
    table = write(folder, "image,view,ejection_fraction", "b.mp4,apical,0.4", "a.mp4,short,", "c.mp4,apical,0.1")
    assert open_with(folder, table) == [{"ejection_fraction": -1}] * 2 + [{"ejection_fraction": 0.4}] * 2


def test_the_table_of_a_phantom_set_is_read(tmp_path: Path) -> None:
    write_phantoms("ultrasound", tmp_path, 4, 4, size=32, num_frames=2, num_folds=2, progress=False)
    with (tmp_path / "attributes.csv").open(newline="") as file:
        expected = {float(row["ejection_fraction"]) for row in csv.DictReader(file)}
    found = open_clips(tmp_path / "clips", 4, num_frames=2, size=32, attributes=tmp_path / "attributes.csv")
    assert {found[index]["attributes"]["ejection_fraction"] for index in range(4)} == expected


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["image,depth", "a.mp4,3"], "has no line for .*b.mp4$"),
        (["file,depth", "a.mp4,3"], "expected a line of names with 'image', and a line for each clip"),
        (["image,depth"], "expected a line of names"),
        (["image,view", "a.mp4,apical"], "no column holds numbers only; its columns are image, view"),
        (["image,depth", "a.mp4,3", "./a.mp4,4"], r"has two lines for \./a\.mp4"),
    ],
)
def test_tables_that_do_not_fit_are_named(folder: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_with(folder, write(folder, *lines))


def test_phantoms_take_no_table(folder: Path) -> None:
    table = write(folder, "image,depth", "a.mp4,3")
    with pytest.raises(ValueError, match="phantoms know their attributes"):
        open_clips("phantom:ultrasound", 1, channels=1, attributes=table)
    with pytest.raises(FileNotFoundError):
        read_attributes(folder / "absent.csv")
