# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import CenterSpatialCrop, Flip, Rotate90
from PIL import Image

from monai_feat.data.clip_masks import MaskFile, crop_like, crop_of
from monai_feat.data.readers.load import load_clip, open_clip
from monai_feat.data.video_reader import VideoReadError


def mask_file(folder: Path, values: object, label_channels: int, name: str = "mask.png") -> MaskFile:
    Image.new("RGB", (16, 8)).save(folder / "clip.png")
    Image.fromarray(np.broadcast_to(np.asarray(values, np.uint8), (8, 16, *np.shape(values)[2:]))).save(folder / name)
    return MaskFile(folder / name, open_clip(folder / "clip.png"), label_channels)


def test_classes_read_back(tmp_path: Path) -> None:
    values = np.arange(16)[None] % 3
    (frame,) = mask_file(tmp_path, values, 3).iter_frames([0])
    assert frame.dtype == torch.uint8
    np.testing.assert_array_equal(frame[0], np.broadcast_to(values, (8, 16)))


@pytest.mark.parametrize("name", ["mask.png", "mask.jpg"])
def test_two_classes_may_be_black_and_white(tmp_path: Path, name: str) -> None:
    values = 255 * (np.arange(16)[None] >= 8)
    (frame,) = mask_file(tmp_path, values, 2, name).iter_frames([0])
    np.testing.assert_array_equal(frame[0], np.broadcast_to(values > 0, (8, 16)))


@pytest.mark.parametrize(
    ("values", "label_channels", "message"),
    [
        ([[3]], 3, r"mask\.png: frame 0: the mask holds the classes 3; label_channels=3 knows 0 to 2"),
        ([[255]], 3, "holds the class 255; number the classes from 0"),
        ([[100]], 2, "expected 0 and 1, or black and white; 100% of the pixels are grey"),
        ([[[1, 0, 0]]], 2, "is no mask: frame 0 is coloured"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, values: object, label_channels: int, message: str) -> None:
    with pytest.raises(VideoReadError, match=message):
        list(mask_file(tmp_path, values, label_channels).iter_frames([0]))


def test_another_size_is_an_error(tmp_path: Path) -> None:
    Image.new("L", (16, 8)).save(tmp_path / "clip.png")
    Image.new("L", (16, 9)).save(tmp_path / "other.png")
    with pytest.raises(VideoReadError, match=r"1 frames of 9 x 16 pixels; its clip .*clip\.png has 1 frames of 8 x 16"):
        MaskFile(tmp_path / "other.png", open_clip(tmp_path / "clip.png"), 2)


@pytest.fixture
def clip(tmp_path: Path) -> MetaTensor:
    pixels = torch.arange(24 * 32, dtype=torch.float32).reshape(24, 32)
    Image.fromarray((pixels % 251).byte().numpy()).save(tmp_path / "clip.png")
    return load_clip(tmp_path / "clip.png")


def test_a_crop_is_found_by_the_affine(clip: MetaTensor) -> None:
    cropped = CenterSpatialCrop((-1, 10, 20))(clip)
    box = crop_of(clip, cropped)
    assert box == (7, 6, 10, 20)
    torch.testing.assert_close(crop_like(clip.as_tensor(), box), cropped.as_tensor())
    assert crop_of(clip, clip.as_tensor() // 2) == (0, 0, 24, 32)


@pytest.mark.parametrize("change", [Flip(2), Rotate90(spatial_axes=(1, 2)), lambda clip: clip.as_tensor()[..., 1:]])
def test_what_is_no_crop_is_an_error(clip: MetaTensor, change: object) -> None:
    with pytest.raises(ValueError, match="in a way that masks cannot follow"):
        crop_of(clip, change(clip))  # type: ignore[operator]
