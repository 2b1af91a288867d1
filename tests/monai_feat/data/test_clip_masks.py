# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import CenterSpatialCrop, Flip, Rotate90
from PIL import Image, ImageOps

from monai_feat.data.clip_masks import MaskFile, MaskReadings, crop_like, crop_of
from monai_feat.data.datalist import DatalistError
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
        ([[3]], 3, r"mask\.png: cannot be read as a mask: it holds the value 3 \(100\.0%\)"),
        ([[255]], 3, r"holds the value 255 .*say what each value stands for with a legend"),
        ([[100]], 2, r"holds the value 100"),
        ([[[1, 0, 0]]], 2, r"holds the value #010000"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, values: object, label_channels: int, message: str) -> None:
    with pytest.raises(VideoReadError, match=message):
        mask_file(tmp_path, values, label_channels)


@pytest.mark.parametrize("kind", ["uint16", "int32", "float", "palette", "rgb"])
def test_every_way_to_store_classes_is_read(tmp_path: Path, kind: str) -> None:
    classes = np.arange(8 * 16).reshape(8, 16) % 3
    palette = Image.fromarray(classes.astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    picture = {
        "uint16": lambda: Image.fromarray(classes.astype(np.uint16)),
        "int32": lambda: Image.fromarray(classes.astype(np.int32)),
        "float": lambda: Image.fromarray(classes.astype(np.float32)),
        "palette": lambda: palette,
        "rgb": lambda: palette.convert("RGB"),
    }[kind]()
    picture.save(tmp_path / "mask.tif")
    Image.new("RGB", (16, 8)).save(tmp_path / "clip.png")
    legend = {0: 0, "#800000": 1, "#008000": 2} if kind == "rgb" else None
    (frame,) = MaskFile(tmp_path / "mask.tif", open_clip(tmp_path / "clip.png"), 3, legend).iter_frames([0])
    np.testing.assert_array_equal(frame[0], classes)


def blurred_mask(folder: Path, level: int) -> MaskFile:
    """A white square with soft edges, and a small object of a grey level of its own."""
    values = np.zeros((64, 64), np.uint8)
    values[10:40, 10:40] = 255
    values[9, 9:41] = np.linspace(1, 200, 32)
    values[55:58, 55:58] = level
    Image.fromarray(values).save(folder / "mask.png")
    Image.new("RGB", (64, 64)).save(folder / "clip.png")
    return MaskFile(folder / "mask.png", open_clip(folder / "clip.png"), 2)


def test_soft_edges_are_black_or_white_and_a_small_grey_object_is_never_lost(tmp_path: Path) -> None:
    (frame,) = blurred_mask(tmp_path, 255).iter_frames([0])
    assert frame[0, 55:58, 55:58].all()
    assert 900 <= int(frame.sum()) - 9 <= 932
    with pytest.raises(VideoReadError, match="9 pixels of values up to 40 lie apart from all white"):
        list(blurred_mask(tmp_path, 40).iter_frames([0]))


@pytest.mark.parametrize("quality", [60, 95])
def test_jpeg_rings_and_the_mask_does_not(tmp_path: Path, quality: int) -> None:
    rows, columns = np.mgrid[:96, :128]
    truth = (rows - 40) ** 2 + (columns - 60) ** 2 < 27**2
    Image.fromarray((truth * 255).astype(np.uint8)).save(tmp_path / "mask.jpg", quality=quality)
    Image.new("RGB", (128, 96)).save(tmp_path / "clip.png")
    (frame,) = MaskFile(tmp_path / "mask.jpg", open_clip(tmp_path / "clip.png"), 2).iter_frames([0])
    assert (frame[0].numpy() != truth).mean() < 0.003


def test_masks_of_one_data_set_are_read_in_one_way(tmp_path: Path) -> None:
    readings = MaskReadings()
    for values in ([[0, 255] * 8], [[0] * 16], [[255] * 16]):
        mask = mask_file(tmp_path, values, 2)
        readings.add(mask.reading.how, mask.file.path)
    with pytest.raises(DatalistError, match=r"other\.png is read as a mask of classes, and .* one of black and white"):
        readings.add(mask_file(tmp_path, [[0, 1] * 8], 2, "other.png").reading.how, tmp_path / "other.png")


@pytest.mark.parametrize(
    ("name", "label_channels", "expected"),
    [
        ("png16_classes012", 3, {0, 1, 2}),
        ("png8_0_20", 2, {0, 1}),
        ("png8_01_ignore255", 2, {0, 1, 255}),
        ("png8_0_40small", 2, {0, 1}),
    ],
)
def test_masks_of_the_reports_keep_their_meaning(
    cases: Path, name: str, label_channels: int, expected: set[int]
) -> None:
    clip = open_clip(cases / "masks" / name / "images" / "c1")
    mask = MaskFile(cases / "masks" / name / "masks" / "c1", clip, label_channels)
    stored = [np.asarray(Image.open(path)) for path in sorted((cases / "masks" / name / "masks" / "c1").iterdir())]
    values = np.unique(stored)
    for frame, truth in zip(mask.iter_frames(range(clip.frames)), stored, strict=True):
        numbers = [255 if value == 255 else place for place, value in enumerate(values)]
        np.testing.assert_array_equal(frame[0], np.array(numbers)[np.searchsorted(values, truth)])
    assert set(np.unique([frame.numpy() for frame in mask.iter_frames(range(clip.frames))])) == expected


@pytest.mark.parametrize("name", ["mask16_012.png", "mask_voc_palette.png"])
def test_deep_and_palette_masks_of_the_reports_are_classes(cases: Path, tmp_path: Path, name: str) -> None:
    stored = np.asarray(Image.open(cases / "masks" / name))
    Image.new("RGB", stored.shape[::-1]).save(tmp_path / "clip.png")
    (frame,) = MaskFile(cases / "masks" / name, open_clip(tmp_path / "clip.png"), 3).iter_frames([0])
    np.testing.assert_array_equal(frame[0], stored)


def test_turned_frames_of_the_reports_lie_under_their_masks(cases: Path) -> None:
    folder = cases / "masks" / "exif180"
    clip = open_clip(folder / "images" / "c1")
    masks = MaskFile(folder / "masks" / "c1", clip, 2).iter_frames(range(clip.frames))
    files = zip(*(sorted((folder / kind / "c1").iterdir()) for kind in ("images", "masks")), strict=True)
    for frame, mask, (image, label) in zip(clip.read().unbind(1), masks, files, strict=True):
        seen = ImageOps.exif_transpose(Image.open(image))  # as every viewer turns it
        np.testing.assert_array_equal(frame.permute(1, 2, 0), np.asarray(seen).reshape(*seen.size[::-1], -1))
        np.testing.assert_array_equal(mask[0] > 0, np.asarray(Image.open(label)) > 0)
        assert seen.size == Image.open(label).size


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
