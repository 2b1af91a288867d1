# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.data.clip_search import find_labelled_clips
from monai_feat.data.datalist import DatalistError
from monai_feat.data.folder_search.contents import search_folder
from monai_feat.data.folder_search.pairing import is_mask_folder
from tests.monai_feat.data.folder_search import layouts
from tests.monai_feat.data.folder_search.test_contents import NAMES, relative


@pytest.mark.parametrize(
    ("pictures", "masks"),
    [("images", "masks"), ("Original", "Ground Truth"), ("images", "annotations"), ("train/imgs", "train/gts"),
     ("imagesTr", "labelsTr"), ("JPEGImages", "SegmentationClass")],
)  # fmt: skip
def test_folders_of_masks_have_many_names(tmp_path: Path, pictures: str, masks: str) -> None:
    layouts.stills_with_masks(tmp_path, pictures, masks, NAMES)
    assert relative(search_folder(tmp_path)) == {f"{pictures}/{name}.jpg": f"{masks}/{name}.jpg" for name in NAMES}


def test_frames_of_one_clip_have_a_folder_of_masks(tmp_path: Path) -> None:
    layouts.stills_with_masks(tmp_path, "CVC/Original", "CVC/Ground Truth", map(str, range(1, 13)), ".tif")
    assert relative(search_folder(tmp_path)) == {"CVC/Original": "CVC/Ground Truth"}


def test_masks_of_several_tools_are_said_and_not_chosen(tmp_path: Path) -> None:
    layouts.endovis_17(tmp_path, ("Left_Prograsp_Forceps_labels", "Other_labels"))
    contents = search_folder(tmp_path)
    assert relative(contents)["instrument_dataset_1/left_frames"] is None
    assert "has 2 masks among which nothing decides" in contents.describe()
    with pytest.raises(DatalistError, match="Left_Prograsp_Forceps_labels and Other_labels could each be its mask"):
        find_labelled_clips(tmp_path)


def test_a_folder_is_one_of_masks_by_its_name_and_its_neighbours(tmp_path: Path) -> None:
    for folder in ("a/images", "a/masks", "b/labels", "b/notes"):
        (tmp_path / folder).mkdir(parents=True)
    assert is_mask_folder(tmp_path / "a/masks", lambda _folder: False)
    assert not is_mask_folder(tmp_path / "b/labels", lambda _folder: False)
    assert is_mask_folder(tmp_path / "b/labels", lambda folder: folder.name == "b")
    assert not is_mask_folder(tmp_path / "b/notes", lambda _folder: True)
