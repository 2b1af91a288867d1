# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which pixels speak for a field of view: bright at some time, thick, in large pieces, and not colourful."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from monai_feat.transforms.functional import to_levels

__all__ = ["Array", "field_evidence", "saturation", "shrunk"]


Array = npt.NDArray[np.float64]

_ABOVE_BACKGROUND = 6.0  # grey levels; the noise of codecs around the field stays under it
_EDGE_SHARE = 0.35  # of the brightest neighbour
_DARKEST_FIELD = 24.0  # grey levels: no background is brighter than this
_SMALLEST_PIECE = 0.05  # part of the largest piece of evidence


def field_evidence(clip: Tensor, longest: int) -> Array:
    """Where the field shows, 1.0 or 0.0, on an image of at most `longest` pixels: bright, thick and in large pieces."""
    grey = clip.amin(0)  # (T, H, W); the least channel, so coloured marks are dark
    peak, least = (
        shrunk(_levels(level), math.ceil(max(level.shape) / longest)) for level in (grey.amax(0), grey.amin(0))
    )
    reach = max(1, round(max(peak.shape) / 64))
    # Background does not change in time, dark tissue flickers.
    background = min(float(np.percentile(least, 2)), _DARKEST_FIELD)
    above = peak - background
    # A pixel that the outline cuts is as bright as its share of the field: less than half is outside.
    bright = (above > _ABOVE_BACKGROUND) & (above > _EDGE_SHARE * ndimage.maximum_filter(above, 3))
    padded = np.pad(bright, 2 * reach, mode="edge")
    closed = ndimage.binary_closing(padded, np.ones((3, 3)))
    thick = ndimage.binary_opening(closed, np.ones((2 * reach + 1, 2 * reach + 1)))
    pieces, count = ndimage.label(thick, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sizes[0] = 0
    kept = ndimage.binary_dilation((sizes >= _SMALLEST_PIECE * sizes.max())[pieces] & thick, iterations=reach)
    inner = slice(2 * reach, -2 * reach)
    return np.asarray((kept & closed)[inner, inner], np.float64)


def saturation(clip: Tensor) -> float:
    """Median over what is not black of (largest − smallest) / largest channel, 0 for grey and 1 for pure colours."""
    colours = _levels(clip[:, :: max(1, clip.shape[1] // 8)]).mean(1)  # (C, H, W)
    most = colours.max(0)
    lit = most > 40
    return float(np.median((most - colours.min(0))[lit] / most[lit])) if lit.any() else 0.0


def _levels(pixels: Tensor) -> Array:
    """Grey levels in [0, 255] of pixels in uint8 or in [-1, 1]."""
    return np.asarray(to_levels(pixels, torch.float64).cpu().numpy())


def shrunk(image: Array, factor: int) -> Array:
    """Means of blocks of `factor` × `factor` pixels; what is left over at the lower and right border repeats."""
    if factor <= 1:
        return image
    rows, columns = (-size % factor for size in image.shape)
    image = np.pad(image, ((0, rows), (0, columns)), mode="edge")
    blocks = image.reshape(image.shape[0] // factor, factor, image.shape[1] // factor, factor)
    return np.asarray(blocks.mean((1, 3)))
