# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What Pillow decodes, as colours to be shown, or as the numbers that are stored."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.eight_bits import reduced_uint16, whole_numbers

__all__ = ["Depth", "depth_of", "stored_values", "with_three_colours"]

# TIFF 6.0, section 8: the highest level that a file uses.
_MAX_SAMPLE_VALUE = 281


@dataclass(frozen=True)
class Depth:
    """How a file stores levels.

    Attributes:
        bits: of one level: 8, 16 or 32.
        white: the highest level, where the file says so.
    """

    bits: int
    white: int | None = None


def depth_of(file: Image.Image) -> Depth:
    """The depth of a file's pixels, which Pillow forgets when it decodes them."""
    if file.format == "PPM" and file.mode == "I":
        # Pillow stretches grey levels to 16 bits by the highest one that the header names.
        return Depth(16, 65535)
    if file.mode in ("F", "I"):
        return Depth(32)
    is_deep = file.mode.startswith("I;") or any("16" in str(tile[3]) for tile in getattr(file, "tile", ()))
    return Depth(16, _declared_white(file)) if is_deep else Depth(8)


def with_three_colours(path: str | os.PathLike[str], picture: Image.Image, depth: Depth) -> npt.NDArray[np.uint8]:
    """Pixels as they are shown, uint8 ``(H, W, 3)``, on black where they are transparent.

    Raises:
        VideoReadError: they are real numbers or of 32 bits, or their range is not known.
    """
    if depth.bits == 32:
        kind = "floating-point numbers" if picture.mode == "F" else "whole numbers of 32 bits, or with a sign"
        raise VideoReadError(path, f"holds {kind}, which have no agreed way to 0 … 255: map them there first")
    if picture.mode.startswith("I"):
        return np.repeat(reduced_uint16(path, np.asarray(picture), depth.white)[..., None], 3, axis=2)
    if picture.has_transparency_data:
        rgba = np.asarray(picture.convert("RGBA")).astype(np.uint16)
        rgb = ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)
    else:
        rgb = np.asarray(picture.convert("RGB"))
    if depth.bits == 16:
        # Pillow keeps the upper 8 of 16 bits of a colour; they tell what is refused all the same.
        reduced_uint16(path, rgb.max(keepdims=True).astype(np.uint16) * 256 + 1)
    return rgb


def stored_values(path: str | os.PathLike[str], picture: Image.Image) -> npt.NDArray[np.int32]:
    """Numbers as they are stored, int32 ``(1, H, W)``: grey levels of any depth, or the numbers of a palette's colours.

    A palette of grey levels that do not rise with their numbers is a way to store grey levels, and gives these.
    Coloured pictures give ``(3, H, W)``.

    Raises:
        VideoReadError: a value is not a whole number of 32 bits.
    """
    if picture.mode == "P":
        return _palette_values(picture)[None]
    if picture.mode in ("L", "I", "F") or picture.mode.startswith("I;"):
        return whole_numbers(path, np.asarray(picture)[None])
    return np.array(with_three_colours(path, picture, Depth(8)).transpose(2, 0, 1), np.int32)


def _palette_values(picture: Image.Image) -> npt.NDArray[np.int32]:
    numbers = np.asarray(picture).astype(np.int32)
    colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    used, first = np.unique(numbers, return_index=True)
    shown = colours[first].astype(np.int32)
    is_grey = bool((shown == shown[:, :1]).all())
    if not is_grey or (np.diff(shown[:, 0]) > 0).all():
        return numbers
    levels: npt.NDArray[np.int32] = shown[np.searchsorted(used, numbers), 0]
    return levels


def _declared_white(file: Image.Image) -> int | None:
    tags = getattr(file, "tag_v2", None)
    highest = tags.get(_MAX_SAMPLE_VALUE) if tags is not None else None
    if isinstance(highest, tuple):
        highest = max(highest, default=None)
    return int(highest) if highest and int(highest) > 0 else None
