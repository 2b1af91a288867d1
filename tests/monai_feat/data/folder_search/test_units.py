# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from monai_feat.data.folder_search.contents import search_folder
from monai_feat.data.folder_search.units import stem_of, units_of, why_not_a_clip
from monai_feat.data.readers.load import open_clip
from tests.monai_feat.data.folder_search import layouts
from tests.monai_feat.data.folder_search.test_contents import relative


def test_two_clips_in_one_folder_are_two(tmp_path: Path) -> None:
    layouts.frames(tmp_path / "all", [f"seq{s}_{i:02d}.png" for s in (1, 2) for i in range(3)])
    contents = search_folder(tmp_path)
    assert relative(contents) == {"all/seq1_%d.png": None, "all/seq2_%d.png": None}
    assert [open_clip(path).frames for path in contents.pairs] == [3, 3]


def test_stills_of_several_sizes_are_no_clip(tmp_path: Path) -> None:
    for i in range(4):
        layouts.save(tmp_path / "a" / f"{i}.png", layouts.picture(i, 48 + 4 * i))
    contents = search_folder(tmp_path)
    assert len(contents.clips) == 4
    assert "differ in size" in contents.describe()


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.nii.gz", "a"), ("a.b.MP4", "a.b"), ("1.2.840.113", "1.2.840.113"), ("frame_%d.png", "frame_%d"), ("f.*", "f")],
)
def test_a_stem_is_a_name_without_the_ending_of_a_format(name: str, stem: str) -> None:
    assert stem_of(PurePosixPath("x") / name) == PurePosixPath("x") / stem


def test_files_that_are_no_clips_have_a_reason(tmp_path: Path) -> None:
    reasons = {"a.mp4": "", "Thumbs.db": "file viewer", "a.csv": "table", "a.tar": "archive", "a.qqq": "no format"}
    for name, reason in reasons.items():
        (tmp_path / name).write_bytes(b"x" * 200)
        said = why_not_a_clip(tmp_path / name)
        assert reason in said
        assert bool(said) == bool(reason)


def test_frames_that_lie_in_the_given_folder_itself_are_pictures_of_their_own(tmp_path: Path) -> None:
    layouts.frames(tmp_path, [f"{i}.png" for i in range(4)])
    files = sorted(tmp_path.iterdir())
    (unit,), remarks = units_of(files)
    assert (unit.path, set(unit.files), remarks) == (tmp_path, set(files), [])
    units, (remark,) = units_of(files, loose=tmp_path)
    assert [one.path for one in units] == files
    assert "taken one by one" in remark
