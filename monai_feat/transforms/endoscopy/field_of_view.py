# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the picture of an endoscope lies in its frame: a disc, an octagon or a rectangle on black."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.measure import label
from torch import Tensor

from monai_feat.transforms.endoscopy.hull import convex_hull
from monai_feat.transforms.endoscopy.opening import disc_opening
from monai_feat.transforms.endoscopy.pixels import as_levels
from monai_feat.transforms.video.functional import sample_times

__all__ = ["Box", "FieldOfView", "detect_field_of_view"]

Box = tuple[int, int, int, int]
"""``(top, left, bottom, right)`` in pixels; bottom and right are past the last pixel."""
FieldShape = Literal["full", "rectangle", "octagon", "disc", "convex"]
_Mask = npt.NDArray[np.bool_]
_Levels = npt.NDArray[np.float32]

# A border may be lifted from 0 by a video's limited range or a camera's pedestal, but not beyond this level.
_DARKEST_CORNER_BELOW = 40
# What is no brighter than the border plus this is border: codec noise stays within it.
_NOISE = 12
# A border ends within a few pixels in at least this many more levels; shaded tissue darkens slowly.
_STEP = 12
# A shape stands for the convex hull of the bright pixels when they agree to this intersection over union.
_SHAPE_AGREES = 0.97


@dataclass(frozen=True)
class FieldOfView:
    """The pixels of a frame that the endoscope's optics fill, the same for all frames of a clip.

    Attributes:
        mask: boolean ``(H, W)``, True inside.
        box: ``(top, left, bottom, right)`` in pixels around the mask; bottom and right are past the last pixel.
        shape: ``"full"`` (no border seen), ``"rectangle"``, ``"octagon"``, ``"disc"`` (also one cut off by the frame)
            or ``"convex"`` (none of these; the convex hull).
        confidence: in [0, 1]: the share of the border between field and surround that is a sharp step, times the share
            of the surround that is dark. 0 where no border is seen.
    """

    mask: Tensor
    box: Box
    shape: FieldShape
    confidence: float


def detect_field_of_view(clip: Tensor) -> FieldOfView:
    """Find the field of view of an endoscope on a black surround.

    The darkest corner decides what is black; the field is the convex hull of the large bright regions (each pixel by
    the 90th percentile over up to 16 frames, so that a moving dark lumen does not count), then the simplest of
    rectangle, octagon and disc that agrees with it. Text and small pictures beside the field are left out.

    Args:
        clip: ``(C, T, H, W)`` or one frame ``(C, H, W)``; uint8 in [0, 255] or float in [-1, 1].

    Returns:
        The field. Believe it from a confidence of 0.5: on stills with dark tissue at the edge it stays above, for
        clips without a border it is near 0, and the mask is then all of the frame or a guess.

    Raises:
        ValueError: the clip's shape is not as described.
        TypeError: its pixels are neither uint8 nor float.
    """
    levels = as_levels(clip)  # (C, T, H, W)
    level = _bright_level(levels)
    threshold = _darkest_corner(level) + _NOISE
    hull = _hull_of_field(level > threshold) if threshold <= _DARKEST_CORNER_BELOW + _NOISE else None
    if hull is None or hull.all():
        return _whole_frame(level.shape)
    mask, shape = _simplest_shape(hull)
    if mask.all():
        return _whole_frame(level.shape)
    confidence = _confidence(level, mask, threshold)
    return FieldOfView(torch.from_numpy(mask), _box_of(mask), shape, confidence)


def _whole_frame(size: tuple[int, ...]) -> FieldOfView:
    height, width = size
    return FieldOfView(torch.ones(height, width, dtype=torch.bool), (0, 0, height, width), "full", 0.0)


def _bright_level(levels: _Levels) -> _Levels:
    """Brightest channel of each pixel, at the 90th percentile over time: ``(H, W)``."""
    frames = levels[:, sample_times(levels.shape[1], 16)].max(0)
    bright: _Levels = frames[0] if len(frames) == 1 else np.quantile(frames, 0.9, axis=0).astype(np.float32)
    return bright


def _darkest_corner(level: _Levels) -> float:
    side = max(2, round(0.03 * min(level.shape)))
    corners = (level[:side, :side], level[:side, -side:], level[-side:, :side], level[-side:, -side:])
    return float(min(np.median(corner) for corner in corners))


def _hull_of_field(bright: _Mask) -> _Mask | None:
    """Convex hull of the bright regions that are part of the field; None where they fill less than a tenth."""
    # Opening cuts strokes of text off the field, and what hangs on it.
    opened = disc_opening(bright, max(1, round(min(bright.shape) / 150)))
    numbered = label(opened)
    areas = np.bincount(numbered.ravel())
    areas[0] = 0  # what is no region
    if areas.max() < 0.1 * bright.size:
        return None
    is_field = np.zeros(len(areas), dtype=bool)
    for number, box in enumerate(ndimage.find_objects(numbered), start=1):
        extent = areas[number] / math.prod(side.stop - side.start for side in box)
        # Dark folds may part the field; a second rectangle is another picture.
        is_field[number] = number == areas.argmax() or (areas[number] > 0.1 * areas.max() and extent < 0.9)
    return convex_hull(is_field[numbered])


def _simplest_shape(hull: _Mask) -> tuple[_Mask, FieldShape]:
    candidates: list[tuple[FieldShape, _Mask]] = [
        ("rectangle", _rectangle(hull)),
        ("octagon", _octagon(hull)),
        ("disc", _disc(hull)),
    ]
    agreement = {name: float((mask & hull).sum() / (mask | hull).sum()) for name, mask in candidates}
    shapes = dict(candidates)
    if agreement["rectangle"] >= 1 - (1 - _SHAPE_AGREES) / 3:
        return shapes["rectangle"], "rectangle"
    best: FieldShape = "disc" if agreement["disc"] >= agreement["octagon"] else "octagon"
    return (shapes[best], best) if agreement[best] >= _SHAPE_AGREES else (hull, "convex")


def _box_of(mask: _Mask) -> Box:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _rectangle(hull: _Mask) -> _Mask:
    top, left, bottom, right = _box_of(hull)
    mask = np.zeros_like(hull)
    mask[top:bottom, left:right] = True
    return mask


def _octagon(hull: _Mask) -> _Mask:
    """The intersection of the eight half planes at multiples of 45 degrees that touch the hull."""
    y, x = np.ogrid[: hull.shape[0], : hull.shape[1]]
    rising, falling = x + y, x - y
    mask = _rectangle(hull)
    for slope in (rising, falling):
        inside = slope[hull]
        mask &= (slope >= inside.min()) & (slope <= inside.max())
    return mask


def _disc(hull: _Mask) -> _Mask:
    """The disc through the hull's outline, cut off where the hull's box is; the outline on the box's sides is left out.

    Least squares of x² + y² = 2ax + 2by + c (Kåsa 1976), repeated without the points that lie off.
    """
    top, left, bottom, right = _box_of(hull)
    y, x = np.nonzero(hull & ~_eroded(hull, 1))
    slack = max(1, round(0.01 * min(hull.shape)))
    on_side = (y < top + slack) | (y >= bottom - slack) | (x < left + slack) | (x >= right - slack)
    if (~on_side).sum() < 8:
        return np.zeros_like(hull)
    y, x = y[~on_side].astype(float), x[~on_side].astype(float)
    keep = np.ones(len(x), dtype=bool)
    for _ in range(8):
        rows = np.stack([2 * x[keep], 2 * y[keep], np.ones(keep.sum())], axis=1)
        (a, b, c), *_ = np.linalg.lstsq(rows, x[keep] ** 2 + y[keep] ** 2, rcond=None)
        radius = np.sqrt(max(c + a * a + b * b, 1.0))
        off = np.abs(np.hypot(x - a, y - b) - radius)
        keep = off <= max(1.0, 2 * float(np.median(off)))
    rows_, columns_ = np.ogrid[: hull.shape[0], : hull.shape[1]]
    disc: _Mask = (np.hypot(columns_ - a, rows_ - b) <= radius + 0.5) & _rectangle(hull)
    return disc


def _eroded(mask: _Mask, pixels: int) -> _Mask:
    """What is farther than `pixels` (rows and columns) from the outside; the frame's own edge is not an outside."""
    padded = np.pad(mask, pixels, constant_values=True)
    rows = np.logical_and.reduce([np.roll(padded, k, 0) for k in range(-pixels, pixels + 1)])
    both: _Mask = np.logical_and.reduce([np.roll(rows, k, 1) for k in range(-pixels, pixels + 1)])
    return both[pixels:-pixels, pixels:-pixels]


def _confidence(level: _Levels, mask: _Mask, threshold: float) -> float:
    """Share of the outline that is lit just inside, times the share of the surround that is dark."""
    reach = max(2, round(0.015 * min(mask.shape)))
    outline = mask & ~_eroded(mask, 1)
    surround = ~mask & _eroded(~mask, 1)
    if not outline.any() or not surround.any():
        return 0.0
    # Mean level of the field close to each pixel of the outline; single bright pixels make no sharp border.
    light = _box_sums(np.where(mask, level, 0), reach)[outline] / _box_sums(mask, reach)[outline]
    lit = light > threshold + _STEP
    dark = level[surround] <= threshold
    return float(lit.mean() * dark.mean())


def _box_sums(values: npt.NDArray[Any], reach: int) -> npt.NDArray[np.float64]:
    """Sums over windows of ``2 * reach + 1`` pixels, within the frame."""
    totals = np.pad(values.astype(np.float64), ((reach + 1, reach), (reach + 1, reach))).cumsum(0).cumsum(1)
    side = 2 * reach + 1
    sums: npt.NDArray[np.float64] = (
        totals[side:, side:] - totals[:-side, side:] - totals[side:, :-side] + totals[:-side, :-side]
    )
    return sums
