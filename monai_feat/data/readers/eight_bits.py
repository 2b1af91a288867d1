# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From the numbers that a file stores to the 8 bits of a clip, or a refusal: never by a guess."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_feat.data.read_error import VideoReadError

__all__ = ["exact_uint8", "reduced_uint16", "whole_numbers"]

_FULL_RANGE = 65535
# Devices store up to 14 bits in 16. A picture of which no pixel lies above is one of these, or dark: nobody can tell.
_MOST_OF_14_BITS = 16383


def exact_uint8(path: str | os.PathLike[str], pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Turn pixels of any type into uint8 where that loses nothing.

    Raises:
        VideoReadError: a pixel is not a whole number from 0 to 255.
    """
    if pixels.dtype == np.uint8:
        return pixels
    with np.errstate(invalid="ignore"):
        as_uint8 = pixels.astype(np.uint8)
    if not (pixels == as_uint8).all():
        raise VideoReadError(
            path,
            f"holds {pixels.dtype} values from {pixels.min():g} to {pixels.max():g}; a clip has whole numbers from 0 "
            "to 255: map them there first (MONAI's ScaleIntensityRange) and save again",
        )
    return as_uint8


def whole_numbers(path: str | os.PathLike[str], pixels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Turn stored numbers of any type into int32 where that loses nothing.

    Raises:
        VideoReadError: one is not a whole number of 32 bits.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        values: npt.NDArray[np.int32] = pixels.astype(np.int32)
    if not (values == pixels).all():
        raise VideoReadError(path, f"holds {pixels.dtype} numbers that are not whole: they are not classes")
    return values


def reduced_uint16(
    path: str | os.PathLike[str], pixels: npt.NDArray[Any], highest: int | None = None
) -> npt.NDArray[np.uint8]:
    """Reduce grey levels of 16 bits to 8: from the range that the file declares, or from all 16 bits.

    Without a declared range, a picture that is not black and has no pixel above 16383 is refused: it may hold the 10,
    12 or 14 bits of a device, which would come out dark.

    Args:
        path: for the message.
        pixels: whole numbers from 0 to 65535.
        highest: the level that stands for white, where the file says so.

    Raises:
        VideoReadError: the levels' range is not known.
    """
    brightest = int(pixels.max())
    if highest is None and 0 < brightest <= _MOST_OF_14_BITS:
        raise VideoReadError(
            path,
            f"has 16 bits for each pixel, of which it uses the levels up to {brightest} only: they may be 10, 12 or 14 "
            "bits of a device, or classes; map them to 0 … 255 first and save them in 8 bits",
        )
    white = highest or _FULL_RANGE
    levels: npt.NDArray[np.uint8] = ((pixels.astype(np.uint32) * 255 + white // 2) // white).clip(0, 255).astype("u1")
    return levels
