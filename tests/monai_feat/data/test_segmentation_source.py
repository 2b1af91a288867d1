# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.data import (
    PhantomDataset,
    list_segmentation_clips,
    open_segmentation_clips,
    read_datalist,
    write_phantoms,
)
from monai_feat.data.datalist import DatalistError


def test_phantoms_have_their_masks_and_two_sides() -> None:
    listed, other = (
        list_segmentation_clips("phantom:ultrasound", side, num_phantoms=4, seed=3) for side in (False, True)
    )
    clips, held = open_segmentation_clips(listed, 32, 1), open_segmentation_clips(other, 32, 1)
    assert (len(clips), len(held)) == (4, 1)
    expected = PhantomDataset("ultrasound", 4, seed=6, size=32, num_frames=8)[2]
    torch.testing.assert_close(clips[2]["image"], expected["image"])
    assert torch.equal(clips[2]["label"], expected["label"])
    assert clips[2]["source"] == "phantom:ultrasound 2"
    assert not any(torch.equal(held[0]["image"], clip["image"]) for clip in (clips[i] for i in range(4)))


def test_a_fold_of_a_datalist_validates(tmp_path: Path) -> None:
    write_phantoms("ultrasound", tmp_path / "a", 3, 3, 32, num_frames=2, num_folds=2, test_share=0, progress=False)
    source = tmp_path / "a" / "datalist.json"
    training = read_datalist(source).training
    for fold in (0, 1):
        for validation in (False, True):
            clips = open_segmentation_clips(list_segmentation_clips(source, validation, fold), 32, 1)
            expected = [str(item.image) for item in training if (item.fold == fold) == validation]
            assert clips.sources == expected


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a datalist; make one with folds"):
        list_segmentation_clips(tmp_path)
    (tmp_path / "a.json").write_text('{"training": [{"image": "a.mp4", "label": "a.png", "fold": 0}]}')
    with pytest.raises(DatalistError, match=r"has no fold 2; it has \[0\]"):
        list_segmentation_clips(tmp_path / "a.json", fold=2)
    with pytest.raises(ValueError, match="unknown phantom 'mri'"):
        open_segmentation_clips(list_segmentation_clips("phantom:mri"), 32, 1)
