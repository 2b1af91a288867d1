# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from monai_feat.data.clip_listing import list_folder, name_by_level, name_by_pattern, pair_masks
from monai_feat.data.datalist import DatalistError
from monai_feat.data.folder_search.contents import search_folder


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_levels_count_from_both_ends() -> None:
    path = PurePath("hospital/patient 7/day 2/clip.mp4")
    assert name_by_level(1)(path) == "hospital"
    assert name_by_level(2)(path) == "patient 7"
    assert name_by_level(-1)(path) == "day 2"
    with pytest.raises(DatalistError, match="lies in 3 folders below the source; there is no level 4"):
        name_by_level(4)(path)
    with pytest.raises(ValueError, match="got 0"):
        name_by_level(0)


def test_patterns_join_their_groups() -> None:
    path = PurePath("lung/pat12_seq3_a.mp4")
    assert name_by_pattern(r"pat(\d+)_seq(\d+)")(path) == "12/3"
    assert name_by_pattern(r"pat\d+")(path) == "pat12"
    with pytest.raises(DatalistError, match="nothing in this path matches 'x'"):
        name_by_pattern("x")(PurePath("a.mp4"))
    with pytest.raises(ValueError, match="expected a regular expression, got '\\('"):
        name_by_pattern("(")


def test_a_folder_is_listed_in_natural_order_with_groups_and_classes(tmp_path: Path) -> None:
    touch(tmp_path, "ill/p10/a.mp4", "ill/p2/b.avi", "well/p1/c.png", "notes.txt")
    found = list_folder(search_folder(tmp_path), name_by_level(2), name_by_level(1))
    assert [(item.image.name, item.group, item.category) for item in found] == [
        ("b.avi", "p2", "ill"),
        ("a.mp4", "p10", "ill"),
        ("c.png", "p1", "well"),
    ]


def test_masks_are_paired_by_suffix_and_are_no_clips(tmp_path: Path) -> None:
    touch(tmp_path, "p1/a.mp4", "p1/a_mask.mp4", "p2/b.mp4", "p2/b_mask.nii.gz", "p3/c.mp4")
    paired = pair_masks(list_folder(search_folder(tmp_path)), tmp_path, suffix="_mask")
    names = [(item.image.name, item.label.name if item.label else None) for item in paired]
    assert names == [("a.mp4", "a_mask.mp4"), ("b.mp4", "b_mask.nii.gz"), ("c.mp4", None)]


@pytest.mark.parametrize("masks", ["masks", "clips/masks"])
def test_masks_are_paired_by_folder(tmp_path: Path, masks: str) -> None:
    touch(tmp_path, "clips/p1/a.mp4", f"{masks}/p1/a.png")
    (item,) = pair_masks(list_folder(search_folder(tmp_path / "clips")), tmp_path / "clips", tmp_path / masks)
    assert item.image == tmp_path / "clips/p1/a.mp4"
    assert item.label == tmp_path / masks / "p1/a.png"


def test_endings_may_be_double_and_masks_folders_of_frames(tmp_path: Path) -> None:
    touch(tmp_path, "clips/a.nii.gz", "clips/b.v2.MP4", "masks/a/000.png", "masks/a/001.png", "masks/b.v2.PNG")
    paired = pair_masks(list_folder(search_folder(tmp_path / "clips")), tmp_path / "clips", tmp_path / "masks")
    names = [(item.image.name, item.label.name if item.label else None) for item in paired]
    assert names == [("a.nii.gz", "a"), ("b.v2.MP4", "b.v2.PNG")]


def test_ambiguous_and_absent_masks_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "clips/a.mp4", "masks/a.png", "masks/a.nii.gz", "none/b.png")
    clips = list_folder(search_folder(tmp_path / "clips"))
    with pytest.raises(DatalistError, match=r"a\.\S+ and a\.\S+ could each be its mask"):
        pair_masks(clips, tmp_path / "clips", tmp_path / "masks")
    with pytest.raises(DatalistError, match="no clip has a mask there"):
        pair_masks(clips, tmp_path / "clips", tmp_path / "none")
    with pytest.raises(ValueError, match="got neither"):
        pair_masks(clips, tmp_path / "clips")
