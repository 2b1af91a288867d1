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

__all__ = ["Array", "field_evidence", "saturation", "shrunk", "title_bars"]


Array = npt.NDArray[np.float64]

_ABOVE_BACKGROUND = 6.0  # grey levels; the noise of codecs around the field stays under it
_EDGE_SHARE = 0.35  # of the brightest neighbour
_DARKEST_FIELD = 24.0  # grey levels: no background is brighter than this
_FLAT = 1.0  # grey levels between neighbouring pixels of a painted row; speckle has ten and more
_PAINTED = 0.6  # part of a row
_TALLEST_BAR = 0.25  # part of the frame
_SMALLEST_PIECE = 0.05  # part of the largest piece of evidence


def field_evidence(clip: Tensor, longest: int) -> Array:
    """Where the field shows, 1.0 or 0.0, on an image of at most `longest` pixels: bright, thick and in large pieces."""
    grey = clip.amin(0)  # (T, H, W); the least channel, so coloured marks are dark
    peak, least = (
        shrunk(_levels(level), math.ceil(max(level.shape) / longest)) for level in (grey.amax(0), grey.amin(0))
    )
    factor = math.ceil(max(grey.shape[1:]) / longest)
    top, bottom = title_bars(clip)
    peak[: math.ceil(top / factor)] = 0
    peak[len(peak) - math.ceil(bottom / factor) :] = 0
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
    """Median over what is not black of (largest − smallest) / largest channel, 0 for grey and 1 for pure colours.

    Of several frames the least colourful counts, and title bars do not.
    """
    top, bottom = title_bars(clip)
    frames = _levels(clip[:, :: max(1, clip.shape[1] // 8), top : clip.shape[2] - bottom])  # (C, T, H, W)
    return min(_saturation(frames[:, t]) for t in range(frames.shape[1]))


def _saturation(colours: Array) -> float:
    most = colours.max(0)
    lit = most > 40
    return float(np.median((most - colours.min(0))[lit] / most[lit])) if lit.any() else 0.0


def title_bars(clip: Tensor) -> tuple[int, int]:
    """Count the rows at the top and at the bottom that the display has painted in one colour, but for text on them.

    Args:
        clip: ``(C, T, H, W)``, of which the first frame is looked at.
    """
    level = _levels(clip[:, 0]).max(0)  # (H, W)
    flat = ndimage.maximum_filter1d(level, 3) - ndimage.minimum_filter1d(level, 3) <= _FLAT
    painted = (flat & (level > _DARKEST_FIELD)).mean(1) > _PAINTED
    bars = [len(painted) if side.all() else int(np.argmin(side)) for side in (painted, painted[::-1])]
    top, bottom = (bar if bar <= _TALLEST_BAR * len(painted) else 0 for bar in bars)
    return top, bottom


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
