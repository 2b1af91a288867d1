# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Finding the sector or the rectangle that shows ultrasound in a clip.

What ever becomes brighter than the background is evidence of the field; the outline is the smallest sector or rectangle
that holds nearly all of it. Inside, darkness proves nothing: shadows, fluid and deep tissue are black as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize
from torch import Tensor

from monai_feat.transforms.ultrasound.evidence import Array, field_evidence, saturation, shrunk
from monai_feat.transforms.ultrasound.geometry import (
    Geometry,
    RectangleGeometry,
    SectorGeometry,
    UltrasoundField,
)

__all__ = ["MIN_CONFIDENCE", "detect_field"]


MIN_CONFIDENCE = 0.65
"""Below this confidence the transforms leave a clip alone: on 30 real clips and one of endoscopy, outlines that were
right to the eye had 0.80 and more, wrong ones 0.57 and less."""

_COARSE, _FINE = 64, 192  # longest side of the images on which an outline is sought and refined
_LEAST_EVIDENCE = 0.015  # part of the frame: a probe in the air shows its own reverberation and no more
_MOST_SATURATED = 0.45  # tinted displays stay under it
_SPILL = 8.0  # a pixel of evidence outside costs as much as this many dark ones inside
_TILT_COST = 1.0  # per squared radian, in units of the evidence: only where evidence is missing, the axis is vertical
_SECTOR_COST = 1.02  # a sector must explain more than a rectangle, which it can imitate
_SLOPES = np.radians(np.arange(5.0, 70.0, 2.5))  # of the edges of a sector
_MOST_TILT = 0.25  # radians
_WIDEST = math.radians(160.0)  # opening of a sector; no probe sees half a circle
_STRAY = 0.005  # part of the evidence that a first guess leaves outside
_STARTS = 4
_EDGE_REWARD = 0.2  # how much of the cost a fully visible outline is worth
_MARGIN = 3  # samples of the finer image: how near to an edge its evidence must be
_BACKED_WITHIN = 1
_LEAST_EDGE = 0.1  # length of the outline inside the frame, in units of H + W


def detect_field(clip: Tensor) -> UltrasoundField:
    """Find the field of view of an ultrasound clip: a sector with its apex above, or an upright rectangle.

    The brightest value of each pixel over time is compared with the background. After closing of gaps and removal of
    what is thin (text, rulers, traces), the outline is fitted that minimises *dark area inside + 8 × evidence outside*,
    from every pair of slopes first, then by Nelder–Mead steps from the best of them. An edge beyond the frame is left
    where the other edges suggest it.

    Confidence is the product of three parts in [0, 1]: how little evidence lies outside (0 from 5 % on); how much of
    the outline inside the frame is an edge, dark outside and evidence within reach inside (full marks for two thirds,
    because shadows reach the outline); and how much of the field is evidence (full marks for 40 %). A clip without any
    outline inside its frame, such as one that was cut out of the tissue, has no detectable field: ``none`` with
    confidence 0. So have black clips, clips of text alone, and clips as colourful as tissue under white light (median
    saturation above 0.45; colour Doppler covers too little of the field for that).

    Args:
        clip: ``(C, T, H, W)`` with one grey or three RGB channels; uint8 in [0, 255] or float in [-1, 1].

    Returns:
        The field in pixels of the clip.

    Raises:
        ValueError: The clip is not of this shape, or smaller than 16 pixels.
    """
    if clip.ndim != 4 or clip.shape[0] not in (1, 3) or min(clip.shape[-2:]) < 16 or clip.shape[1] < 1:
        raise ValueError(f"expected a clip (C, T, H, W) with C 1 or 3 and H, W >= 16, got {tuple(clip.shape)}")
    height, width = clip.shape[-2:]
    evidence = field_evidence(clip, _FINE)
    if evidence.mean() < _LEAST_EVIDENCE or saturation(clip) > _MOST_SATURATED:
        return UltrasoundField.nowhere(height, width)
    pixel = float(math.ceil(max(height, width) / _FINE))
    (sector, sector_cost), (rectangle, rectangle_cost) = (_fit(m, evidence, pixel) for m in (_SECTOR, _RECTANGLE))
    is_sector = sector_cost * _SECTOR_COST < rectangle_cost
    model, values = (_SECTOR, sector) if is_sector else (_RECTANGLE, rectangle)
    canvas = _Canvas.of(evidence, pixel, 1)
    confidence = _confidence(canvas, model.distance(values, canvas.rows, canvas.columns))
    if confidence == 0.0:
        return UltrasoundField.nowhere(height, width)
    return UltrasoundField.of(model.geometry(values, height, width), height, width, confidence)


@dataclass(frozen=True)
class _Canvas:
    """Evidence on a coarser grid, with the positions of its samples in pixels of the clip, each flat ``(N,)``."""

    evidence: Array
    rows: Array
    columns: Array
    shape: tuple[int, int]
    pixel: float

    @classmethod
    def of(cls, evidence: Array, pixel: float, factor: int) -> _Canvas:
        evidence, pixel = shrunk(evidence, factor), pixel * factor
        rows, columns = np.indices(evidence.shape) * pixel + (pixel - 1) / 2
        return cls(evidence.ravel(), rows.ravel(), columns.ravel(), (len(rows), rows.shape[1]), pixel)

    @property
    def shown(self) -> tuple[Array, Array]:
        """Rows and columns of the evidence, in pixels of the clip."""
        shows = self.evidence > 0.5
        return self.rows[shows], self.columns[shows]

    def cost(self, distance: Array) -> Array:
        """Dark area inside and evidence outside of outlines, in units of the evidence; ``(N, ...)`` to ``(...)``."""
        inside = np.clip(distance / self.pixel + 0.5, 0, 1)
        weights = 1 - self.evidence * (1 + _SPILL)  # (1 − a)·s + spill·a·(1 − s), regrouped for one product
        total = self.evidence.sum()
        return np.asarray((np.einsum("n,n...->...", weights, inside) + _SPILL * total) / total)


@dataclass(frozen=True)
class _Model:
    """A family of outlines, with values in pixels and radians.

    Attributes:
        guesses: Outlines that touch the evidence of a canvas from outside, one a column.
        distance: Signed distances of positions ``(N,)`` from outlines, ``(N, ...)``.
        preference: What decides where no evidence does, given the outline and the longest side of the frame.
        steps: First steps of the search around a guess: angles in radians, lengths in parts of the longest side.
        geometry: The outline as the caller sees it, in a frame of so many rows and columns.
    """

    guesses: Callable[[_Canvas], Array]
    distance: Callable[[Array, Array, Array], Array]
    preference: Callable[[Array, float], Array]
    steps: Callable[[float], Array]
    geometry: Callable[[Array, int, int], Geometry]


def _sector_guesses(canvas: _Canvas) -> Array:
    """For each pair of slopes the sector whose edges and arcs touch the evidence, but for a few stray pixels."""
    rows, columns = canvas.shown
    first, last = (part.ravel() for part in np.meshgrid(-_SLOPES, _SLOPES))
    plausible = np.abs(first + last) < 2 * _MOST_TILT
    left = [_low(columns * math.cos(slope) - rows * math.sin(slope)) for slope in -_SLOPES]
    right = [_low(rows * math.sin(slope) - columns * math.cos(slope)) for slope in _SLOPES]
    to_left, to_right = (part.ravel()[plausible] for part in np.meshgrid(left, right))
    first, last = first[plausible], last[plausible]
    # The apex is where both edges meet: to_left = x·cos(first) − y·sin(first), to_right = y·sin(last) − x·cos(last).
    opening = np.sin(last - first)
    column = (to_left * np.sin(last) + to_right * np.sin(first)) / opening
    apex = (to_left * np.cos(last) + to_right * np.cos(first)) / opening
    radius = np.sqrt(np.subtract.outer(rows, apex) ** 2 + np.subtract.outer(columns, column) ** 2)
    inner, outer = _low(radius), -_low(-radius)
    return np.stack([column, apex + inner, inner, (last - first) / 2, (last + first) / 2, apex + outer])


def _low(values: Array) -> Array:
    """Nearly the least value along the first axis."""
    place = int(_STRAY * len(values))
    return np.asarray(np.partition(values, place, axis=0)[place])


def _sector_distance(values: Array, rows: Array, columns: Array) -> Array:
    column, face, inner, half, tilt, end = values
    down, right = np.subtract.outer(rows, face - inner), np.subtract.outer(columns, column)
    radius = np.sqrt(down * down + right * right)
    left_edge = right * np.cos(tilt - half) - down * np.sin(tilt - half)
    right_edge = down * np.sin(tilt + half) - right * np.cos(tilt + half)
    arcs = np.minimum(radius - inner, inner + end - face - radius)
    return np.asarray(np.minimum(np.minimum(left_edge, right_edge), arcs))


def _sector_preference(values: Array, longest: float) -> Array:
    """Edges that no evidence places make the sector upright and small; what no probe sees is ruled out."""
    _, face, inner, half, tilt, end = values
    impossible = (inner < 0) | (end <= face) | (half <= 0) | (half > _WIDEST / 2)
    return np.asarray(_TILT_COST * tilt**2 + 1e-3 * (half + (inner + end - face) / longest) + 10.0 * impossible)


def _sector_geometry(values: Array, height: int, width: int) -> SectorGeometry:
    column, face, inner, half, tilt, end = (float(value) for value in values)
    return SectorGeometry(face - inner, column, tilt - half, tilt + half, inner, inner + end - face)


def _rectangle_guesses(canvas: _Canvas) -> Array:
    rows, columns = canvas.shown
    return np.array([[_low(rows)], [-_low(-rows)], [_low(columns)], [-_low(-columns)]])


def _rectangle_distance(values: Array, rows: Array, columns: Array) -> Array:
    top, bottom, left, right = values
    vertical = np.minimum(np.subtract.outer(rows, top), -np.subtract.outer(rows, bottom))
    lateral = np.minimum(np.subtract.outer(columns, left), -np.subtract.outer(columns, right))
    return np.asarray(np.minimum(vertical, lateral))


def _rectangle_geometry(values: Array, height: int, width: int) -> RectangleGeometry:
    """Edges beyond the frame are put on its border: a rectangle says nothing of where they are."""
    top, bottom, left, right = (float(value) for value in values)
    return RectangleGeometry(max(top, -0.5), min(bottom, height - 0.5), max(left, -0.5), min(right, width - 0.5))


_SECTOR = _Model(
    _sector_guesses,
    _sector_distance,
    _sector_preference,
    lambda longest: np.array([0.02 * longest] * 3 + [0.05, 0.03] + [0.02 * longest]),
    _sector_geometry,
)
_RECTANGLE = _Model(
    _rectangle_guesses,
    _rectangle_distance,
    lambda values, longest: 0 * values[0],
    lambda longest: np.full(4, 0.02 * longest),
    _rectangle_geometry,
)


def _fit(model: _Model, evidence: Array, pixel: float) -> tuple[Array, float]:
    """Values of the best outline, and its cost."""
    coarse = _Canvas.of(evidence, pixel, math.ceil(max(evidence.shape) / _COARSE))
    fine = _Canvas.of(evidence, pixel, 1)
    longest = max(evidence.shape) * pixel

    def cost(values: Array, canvas: _Canvas) -> Array:
        distance = model.distance(values, canvas.rows, canvas.columns)
        return canvas.cost(distance) + model.preference(values, longest)

    guesses = model.guesses(coarse)
    starts = _different(guesses[:, np.argsort(cost(guesses, coarse))].T, model.steps(longest))
    found = [_descend(cost, start, model.steps(longest), coarse, 150) for start in starts]
    backing = [_edge_support(coarse, model.distance(values, coarse.rows, coarse.columns)) for values in found]
    scores = [float(cost(v, coarse)) - _EDGE_REWARD * (seen or 0.0) for v, seen in zip(found, backing, strict=True)]
    values = _descend(cost, found[int(np.argmin(scores))], model.steps(longest) / 4, fine, 250)
    return values, float(cost(values, fine))


def _different(ordered: Array, steps: Array) -> Array:
    """The first few of these outlines, best first, that are not near relatives of a better one."""
    kept = [ordered[0]]
    for values in ordered[1:]:
        if len(kept) < _STARTS and all((np.abs(values - other) > 2.5 * steps)[3:5].any() for other in kept):
            kept.append(values)
    return np.stack(kept)


def _descend(
    cost: Callable[[Array, _Canvas], Array], start: Array, steps: Array, canvas: _Canvas, evaluations: int
) -> Array:
    simplex = np.vstack([start, start + np.diag(steps)])
    options = {"initial_simplex": simplex, "maxfev": evaluations, "xatol": 0.01, "fatol": 1e-6}
    return np.asarray(optimize.minimize(cost, start, (canvas,), "Nelder-Mead", options=options).x)


def _edge_support(canvas: _Canvas, distance: Array) -> float | None:
    """Part of the outline inside the frame that is an edge: evidence just inside, dark just outside.

    None where hardly any of the outline lies inside the frame.
    """
    shape = canvas.shape
    shows, samples = canvas.evidence.reshape(shape) > 0.5, distance.reshape(shape) / canvas.pixel
    interior = np.zeros(shape, bool)
    interior[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = True
    edge = interior & (samples >= 0) & (samples < 1.5)
    beyond = interior & (samples < -1) & (samples > -_MARGIN)
    if edge.sum() < _LEAST_EDGE * sum(shape) or not beyond.any():
        return None
    backed = ndimage.maximum_filter(shows & (samples >= 0), 2 * _BACKED_WITHIN + 1)[edge].mean()
    return float(backed * (1 - shows[beyond].mean()))


def _confidence(canvas: _Canvas, distance: Array) -> float:
    """Trust in the outline from which the samples of the canvas have these distances; see `detect_field`."""
    support = _edge_support(canvas, distance)
    if support is None:
        return 0.0
    shows, inside = canvas.evidence > 0.5, distance >= 0
    spill = shows[~inside].sum() / shows.sum()
    parts = (1 - spill / 0.05, support * 1.5, shows[inside].mean() / 0.4)
    return math.prod(min(max(float(part), 0.0), 1.0) for part in parts)
