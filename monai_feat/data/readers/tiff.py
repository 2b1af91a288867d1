# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Stacks in TIFF files: tifffile tells which pages are frames, Pillow decodes them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tifffile import TiffFile as TiffPages
from tifffile import TiffPageSeries

from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import as_read_error
from monai_feat.data.readers.still import StillFile
from monai_feat.data.video_container import file_status

__all__ = ["TiffFile", "open_still"]

_SIGNATURE = re.compile(rb"II[*+]\0|MM\0[*+]")


class TiffFile(StillFile):
    """A picture in TIFF, or a stack of them along one axis, as OME, ImageJ and plain writers make; always RGB.

    A frame rate is what ImageJ writes; others have none. Stacks that ImageJ writes behind one page are read, too.

    Raises:
        VideoReadError: as `StillFile`; or pages differ in size, or lie along more than one axis.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Of what tifffile knows, files of others are not part: a stack in OME may name files to be opened beside it.
        with as_read_error(path, "is TIFF with a damaged header"), TiffPages(path, _multifile=False) as tiff:
            _check_numbers(path, tiff.pages.first.dtype)
            super().__init__(path)
            self._arrange(_stack(path, tiff), tiff)

    def _arrange(self, stack: TiffPageSeries, tiff: TiffPages) -> None:
        self.frames = int(np.prod([n for axis, n in zip(stack.axes, stack.shape, strict=True) if axis not in "YXS"]))
        self.frame_rate = self._possible_rate(_rate(tiff.imagej_metadata or {})) if self.frames > 1 else 0.0
        self._page_numbers = [page.index for page in stack.pages if page is not None]
        self._behind_first: np.memmap[Any, Any] | None = None
        if len(self._page_numbers) == self.frames:
            return
        if stack.dataoffset is None or len(self._page_numbers) != 1:
            raise VideoReadError(
                self.path, f"has {len(self._page_numbers)} pages for {self.frames} frames; save it as a plain stack"
            )
        shape = (self.frames, *(n for axis, n in zip(stack.axes, stack.shape, strict=True) if axis in "YXS"))
        dtype = np.dtype(stack.dtype).newbyteorder(tiff.byteorder)
        self._behind_first = np.memmap(self.path, dtype, "r", stack.dataoffset, shape)

    def _picture(self, file: Image.Image, number: int) -> Image.Image:
        if self._behind_first is not None:
            pixels = self._behind_first[number]
            return Image.fromarray(pixels.astype(pixels.dtype.newbyteorder("=")))
        return super()._picture(file, number)

    def _place(self, number: int) -> int:
        return self._page_numbers[number]


def open_still(path: str | os.PathLike[str]) -> StillFile:
    """Open a picture of any format, by its content.

    Raises:
        VideoReadError: it is not a picture that can be read.
    """
    file_status(path)
    with Path(path).open("rb") as file:
        is_tiff = _SIGNATURE.match(file.read(4))
    return TiffFile(path) if is_tiff else StillFile(path)


def _stack(path: str | os.PathLike[str], tiff: TiffPages) -> TiffPageSeries:
    """The one series of pages that is not a reduced copy of another, with at most one axis of frames."""
    series = [pages for pages in tiff.series if not (pages.keyframe.is_reduced or pages.keyframe.is_mask)]
    if len(series) != 1:
        sizes = ", ".join(f"{len(pages)} of {' x '.join(map(str, pages.shape))}" for pages in series)
        raise VideoReadError(path, f"holds pages that are not frames of one clip ({sizes or 'none'}): split it")
    (stack,) = series
    axes = [axis for axis, n in zip(stack.axes, stack.shape, strict=True) if n > 1 and axis not in "YXS"]
    if len(axes) > 1 or "C" in axes:
        shape = " x ".join(map(str, stack.shape))
        raise VideoReadError(
            path, f"holds a stack of axes {stack.axes} ({shape}); expected one axis of frames: split it first"
        )
    return stack


def _check_numbers(path: str | os.PathLike[str], dtype: np.dtype[Any] | None) -> None:
    """Refuse numbers that Pillow does not know, or, with a sign in 8 bits, takes for others."""
    if dtype is not None and (dtype.kind == "c" or dtype.name in ("int8", "int64", "uint64", "float16", "float64")):
        raise VideoReadError(
            path, f"holds {dtype} numbers, which have no agreed way to 0 … 255: map them there first and save in 8 bits"
        )


def _rate(imagej: Mapping[str, Any]) -> float:
    """Frames per second as ImageJ writes them; 0.0 where it does not."""
    interval = float(imagej.get("finterval") or 0)
    return 1 / interval if interval > 0 else float(imagej.get("fps") or 0)
