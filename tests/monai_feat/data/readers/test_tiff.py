# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""TIFF of many kinds, written by tifffile and Pillow, against the pixels that were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.load import load_clip, open_clip

STACK = np.random.default_rng(0).integers(0, 255, (5, 32, 48, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"tile": (16, 16)},
        {"planarconfig": "separate"},
        {"compression": "zlib"},
        {"rowsperstrip": 7},
        {"ome": True, "metadata": {"axes": "TYXS"}},
        {"imagej": True, "metadata": {"axes": "TYXS", "finterval": 0.05}},
        {"metadata": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_stack_gives_its_pages_in_order(tmp_path: Path, options: dict[str, Any], channels: int) -> None:
    stack = STACK if channels == 3 else STACK[..., 0]
    if channels == 1:
        metadata = {**(options.get("metadata") or {}), "axes": "TYX"} if options.get("metadata") else None
        options = {key: value for key, value in options.items() if key not in ("planarconfig", "metadata")}
        options |= {"metadata": metadata} if metadata else {}
    elif options.get("planarconfig"):
        stack = np.ascontiguousarray(stack.transpose(0, 3, 1, 2))
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb" if channels == 3 else "minisblack", **options)
    clip = open_clip(tmp_path / "a.tif")
    assert clip.frames == 5
    assert clip.frame_rate == (pytest.approx(20) if options.get("imagej") else 0)
    truth = STACK if channels == 3 else np.repeat(STACK[..., :1], 3, axis=-1)
    np.testing.assert_array_equal(clip.read().permute(1, 2, 3, 0), truth)
    np.testing.assert_array_equal(clip.read(3, 1).permute(1, 2, 3, 0), truth[3:4])


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_packed_pages_are_read(tmp_path: Path, compression: str) -> None:
    smooth = np.stack([np.add.outer(np.arange(64), np.arange(64) + 20 * t).astype(np.uint8) for t in range(3)])
    pages = [Image.fromarray(page) for page in smooth]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression=compression)
    difference = np.abs(load_clip(tmp_path / "a.tif")[0].numpy().astype(int) - smooth)
    assert np.median(difference) <= (2 if compression == "jpeg" else 0)


def test_a_reduced_copy_is_no_frame_and_other_pages_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(STACK[0], photometric="rgb", metadata=None)
        writer.write(STACK[0, ::4, ::4], photometric="rgb", subfiletype=1, metadata=None)
    assert open_clip(tmp_path / "a.tif").frames == 1
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        writer.write(STACK[0], photometric="rgb", metadata=None)
        writer.write(STACK[0, :16], photometric="rgb", metadata=None)
    with pytest.raises(VideoReadError, match="pages that are not frames of one clip"):
        load_clip(tmp_path / "b.tif")


@pytest.mark.parametrize(("axes", "shape"), [("TZYX", (2, 3, 16, 16)), ("TCYX", (4, 2, 16, 16))])
def test_more_than_one_axis_of_pages_is_refused(tmp_path: Path, axes: str, shape: tuple[int, ...]) -> None:
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros(shape, np.uint8), ome=True, metadata={"axes": axes})
    with pytest.raises(VideoReadError, match=f"a stack of axes {axes} .* expected one axis of frames"):
        open_clip(tmp_path / "a.ome.tif")


@pytest.mark.parametrize(("name", "frames"), [("multipage_gray.tif", 20), ("ome.ome.tif", 20)])
def test_stacks_of_the_reports_are_read_whole(cases: Path, name: str, frames: int) -> None:
    truth = tifffile.imread(cases / "tiff" / name)
    clip = load_clip(cases / "tiff" / name)
    assert clip.shape[1] == frames
    np.testing.assert_array_equal(clip[0], truth)


@pytest.mark.parametrize("name", ["tiled.tif", "jpegtiff2.tif"])
def test_pictures_of_the_reports_are_as_pillow_reads_them(cases: Path, name: str) -> None:
    truth = np.asarray(Image.open(cases / "tiff" / name).convert("RGB"))
    np.testing.assert_array_equal(load_clip(cases / "tiff" / name)[:, 0].permute(1, 2, 0), truth)
    assert truth.std() > 20


@pytest.mark.parametrize(
    ("name", "said"), [("gray12in16.tif", "levels up to 4080 only"), ("float.tif", "holds floating-point numbers")]
)
def test_numbers_of_the_reports_are_refused_for_what_they_are(cases: Path, name: str, said: str) -> None:
    with pytest.raises(VideoReadError, match=said):
        load_clip(cases / "tiff" / name)


@pytest.mark.parametrize(
    ("dtype", "said"),
    [("i1", "int8"), ("i2", "whole numbers of 32 bits, or with a sign"), ("i8", "int64"), ("f2", "float16"),
     ("f8", "float64"), ("c8", "complex64")],
)  # fmt: skip
def test_other_numbers_are_refused_for_what_they_are(tmp_path: Path, dtype: str, said: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", STACK[..., 0].astype(dtype))
    with pytest.raises(VideoReadError, match=f"holds {said}"):
        load_clip(tmp_path / "a.tif")


def test_frames_of_a_folder_are_single_pictures(tmp_path: Path) -> None:
    for number in (1, 2):
        tifffile.imwrite(tmp_path / f"{number}.tif", STACK[..., 0])
    with pytest.raises(VideoReadError, match=r"1\.tif: holds 5 pictures, where one frame of a clip was expected"):
        load_clip(tmp_path)
