# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Rectangles laid over a picture, found by their straight sides alone."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["find_insets"]

_Mask = npt.NDArray[np.bool_]
_Levels = npt.NDArray[np.float32]
_Boxes = npt.NDArray[np.int64]
_Numbers = npt.NDArray[Any]

# An edge is a difference of this many levels between neighbouring pixels, in any channel, and so many times as high as
# the differences beside it: in dithered or grainy pictures every pixel differs from the next.
_EDGE = 8
_STANDS_OUT = 2
# Sides are at least this share of the frame's, areas between these shares of the field.
_SHORTEST = 0.08
_SMALLEST, _LARGEST = 0.005, 0.5
# Straight lines that are looked at in each direction: the strongest ones.
_MOST_LINES = 12
# Lines through textured tissue look like edges over as much of their length.
_CHANCE = 0.6


def find_insets(levels: _Levels, field: _Mask) -> list[tuple[Box, float]]:
    """Find rectangles whose sides are edges in all frames.

    Where a side lies outside the field of view nothing is expected of it, and a side on the frame's edge is given; at
    least two sides, one in each direction, must be seen over 8 % of the frame.

    Args:
        levels: ``(C, T, H, W)`` in [0, 255].
        field: boolean ``(H, W)``, the field of view.

    Returns:
        Boxes ``(top, left, bottom, right)`` with confidences in [0, 1], none overlapping: the least share of a side
        that is an edge, counted from 0.6 (confidence 0), which chance brings about, to 1.
    """
    inner = field.copy()
    # The step at the border of the field is not a side of an inset.
    inner[1:] &= field[:-1]
    inner[:-1] &= field[1:]
    inner[:, 1:] &= field[:, :-1]
    inner[:, :-1] &= field[:, 1:]
    across = _steps(levels, axis=-2) & inner  # edge between row y - 1 and row y
    along = _steps(levels, axis=-1) & inner
    rows, columns = _lines(across, inner), _lines(along.T, inner.T)
    heights, widths = combinations(rows, 2), list(combinations(columns, 2))
    boxes = np.array([(top, left, bottom, right) for top, bottom in heights for left, right in widths])
    supports = _supports(across, along, inner, boxes)
    sure = np.flatnonzero(supports > _CHANCE)
    found = [(boxes[i], (supports[i] - _CHANCE) / (1 - _CHANCE)) for i in sure]
    return _without_overlap([((int(b[0]), int(b[1]), int(b[2]), int(b[3])), float(c)) for b, c in found])


def _steps(levels: _Levels, axis: int) -> _Mask:
    """Pixels that differ from the one before along an axis, in most frames, as an edge does."""
    height = np.insert(np.abs(np.diff(levels, axis=axis)).max(0), 0, 0, axis=axis)  # (T, H, W)
    beside = sum(np.roll(height, shift, axis) for shift in (-3, -2, 2, 3)) / 4
    edges = (height > _EDGE) & (height > _STANDS_OUT * beside)
    often: _Mask = edges.mean(0) >= 0.8
    return often


def _lines(edges: _Mask, field: _Mask) -> list[int]:
    """Rows with the longest unbroken edges, and the frame's first and past-the-last row."""
    height, width = edges.shape
    run, longest = np.zeros(height, np.int64), np.zeros(height, np.int64)
    for column in edges.T:
        run = (run + 1) * column
        longest = np.maximum(longest, run)
    strongest = np.argsort(-longest, kind="stable")[:_MOST_LINES]
    return sorted({0, height} | {int(row) for row in strongest if longest[row] >= 0.5 * _SHORTEST * width})


def _supports(across: _Mask, along: _Mask, field: _Mask, boxes: _Boxes) -> npt.NDArray[np.float64]:
    """The least share of each box's expected sides that is an edge; 0 where too little of the sides is expected."""
    height, width = field.shape
    top, left, bottom, right = boxes.T
    sides = [
        *(_side(across, field, y, left, right, _SHORTEST * width) for y in (top, bottom)),
        *(_side(along.T, field.T, x, top, bottom, _SHORTEST * height) for x in (left, right)),
    ]
    seen = np.isfinite(sides)
    both = (seen[0] | seen[1]) & (seen[2] | seen[3])
    total = _sums(_sums(field, 1), 0)
    area = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    fits = (area >= _SMALLEST * field.sum()) & (area <= _LARGEST * field.sum())
    return np.where(both & fits, np.min(sides, axis=0), 0.0)


def _side(edges: _Mask, field: _Mask, row: _Numbers, start: _Numbers, stop: _Numbers, shortest: float) -> _Numbers:
    """Share of each side inside the field that is an edge; infinite where too little of it is inside."""
    row = np.where(row < len(field), row, 0)  # nothing is expected at the end, as at the beginning
    marked, inside = (_sums(np.where(np.arange(len(field))[:, None] > 0, mask, False), 1) for mask in (edges, field))
    count = inside[row, stop] - inside[row, start]
    share = (marked[row, stop] - marked[row, start]) / np.maximum(count, 1)
    return np.where(count >= shortest, share, np.inf)


def _sums(values: npt.NDArray[Any], axis: int) -> npt.NDArray[np.int64]:
    """Sums of all values before each position along an axis."""
    return np.insert(np.cumsum(values, axis=axis, dtype=np.int64), 0, 0, axis=axis)


def _without_overlap(found: list[tuple[Box, float]]) -> list[tuple[Box, float]]:
    kept: list[tuple[Box, float]] = []
    for box, support in sorted(found, key=lambda item: (-item[1], -_area(item[0]))):
        if all(not _overlap(box, other) for other, _ in kept):
            kept.append((box, support))
    return kept


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
