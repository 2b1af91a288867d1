# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

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


def test_a_legend_names_the_classes_of_masks(tmp_path: Path) -> None:
    levels = np.array([0, 20, 40], np.uint8)[np.arange(24 * 24).reshape(24, 24) % 3]
    for name in ("image", "label"):
        Image.fromarray(levels).save(tmp_path / f"{name}.png")
    items = [{name: str(tmp_path / f"{name}.png") for name in ("image", "label")}]
    clips = open_segmentation_clips(items, 24, 1, 3, {"0": 0, "20": 2, "40": 1})
    assert clips[0]["label"][0, 0].numpy().tolist() == np.array([0, 2, 1])[levels // 20].tolist()
    with pytest.raises(DatalistError, match="legend"):
        open_segmentation_clips(items, 24, 1, 3)
