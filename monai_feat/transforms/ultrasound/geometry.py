# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Outlines of the field of view of an ultrasound image: the sector of a curved probe, the rectangle of a linear one.

Rows and columns are in pixels, counted to pixel centres: the centre of the first pixel is (0, 0). Angles are in radians
from straight down, positive towards the right of the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor

__all__ = ["FieldKind", "Geometry", "RectangleGeometry", "SectorGeometry", "UltrasoundField", "pixel_positions"]

FieldKind = Literal["sector", "linear", "none"]


def pixel_positions(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Rows and columns of all pixel centres, each float32 ``(H, W)``."""
    rows = torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)
    columns = torch.arange(width, dtype=torch.float32).expand(height, width)
    return rows, columns


@dataclass(frozen=True)
class SectorGeometry:
    """The part of a ring that a curved or phased probe shows, with the apex above; it may reach beyond the frame.

    Attributes:
        apex_row: Row of the centre of both arcs, pixels.
        apex_column: Column of that centre, pixels.
        first_angle: Angle of the left edge, radians.
        last_angle: Angle of the right edge, radians; above `first_angle` by less than π.
        inner_radius: Radius of the probe's face, pixels, at least 0.
        outer_radius: Radius at which the image ends, pixels, above `inner_radius`.

    Raises:
        ValueError: The angles or the radii are out of order.
    """

    apex_row: float
    apex_column: float
    first_angle: float
    last_angle: float
    inner_radius: float
    outer_radius: float

    def __post_init__(self) -> None:
        if not 0 < self.last_angle - self.first_angle < math.pi:
            raise ValueError(
                f"expected first_angle < last_angle < first_angle + π, got {self.first_angle} and {self.last_angle}"
            )
        if not 0 <= self.inner_radius < self.outer_radius:
            raise ValueError(f"expected 0 <= inner < outer radius, got {self.inner_radius} and {self.outer_radius}")

    @property
    def area(self) -> float:
        """Area in square pixels: (φ₁ − φ₀)(R² − r²)/2, whether inside the frame or not."""
        return (self.last_angle - self.first_angle) / 2 * (self.outer_radius**2 - self.inner_radius**2)

    def polar(self, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Distance from the apex in pixels and angle in radians of positions of any one shape."""
        down, right = rows - self.apex_row, columns - self.apex_column
        return torch.sqrt(down * down + right * right), torch.atan2(right, down)

    def signed_distance(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Distance to the outline in pixels, positive inside; beyond a corner to the nearer edge prolonged."""
        down, right = rows - self.apex_row, columns - self.apex_column
        radius = torch.sqrt(down * down + right * right)
        to_left = right * math.cos(self.first_angle) - down * math.sin(self.first_angle)
        to_right = down * math.sin(self.last_angle) - right * math.cos(self.last_angle)
        to_arcs = torch.minimum(radius - self.inner_radius, self.outer_radius - radius)
        return torch.minimum(torch.minimum(to_left, to_right), to_arcs)

    def relative_depth(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Depth below the probe's face, 0 there and 1 where the image ends."""
        radius, _ = self.polar(rows, columns)
        return (radius - self.inner_radius) / (self.outer_radius - self.inner_radius)

    def shifted(self, rows: float, columns: float) -> SectorGeometry:
        """The same outline moved down by `rows` and right by `columns`."""
        return replace(self, apex_row=self.apex_row + rows, apex_column=self.apex_column + columns)

    def mirrored(self, width: int) -> SectorGeometry:
        """The outline after left and right of a frame of `width` columns have been swapped."""
        column = width - 1 - self.apex_column
        return replace(self, apex_column=column, first_angle=-self.last_angle, last_angle=-self.first_angle)


@dataclass(frozen=True)
class RectangleGeometry:
    """What a linear probe shows.

    Attributes:
        top: Row of the upper edge, pixels.
        bottom: Row of the lower edge.
        left: Column of the left edge.
        right: Column of the right edge. A whole frame spans -0.5 to H - 0.5 and -0.5 to W - 0.5.

    Raises:
        ValueError: The edges are out of order.
    """

    top: float
    bottom: float
    left: float
    right: float

    def __post_init__(self) -> None:
        if not (self.top < self.bottom and self.left < self.right):
            raise ValueError(f"expected top < bottom and left < right, got {self}")

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return (self.bottom - self.top) * (self.right - self.left)

    def signed_distance(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Distance to the outline in pixels, positive inside; beyond a corner to the nearer edge prolonged."""
        vertical = torch.minimum(rows - self.top, self.bottom - rows)
        return torch.minimum(vertical, torch.minimum(columns - self.left, self.right - columns))

    def relative_depth(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Depth below the probe's face, 0 there and 1 where the image ends; the column does not matter."""
        return (rows - self.top) / (self.bottom - self.top) + 0 * columns

    def shifted(self, rows: float, columns: float) -> RectangleGeometry:
        """The same outline moved down by `rows` and right by `columns`."""
        return RectangleGeometry(self.top + rows, self.bottom + rows, self.left + columns, self.right + columns)

    def mirrored(self, width: int) -> RectangleGeometry:
        """The outline after left and right of a frame of `width` columns have been swapped."""
        return replace(self, left=width - 1 - self.right, right=width - 1 - self.left)


Geometry: TypeAlias = SectorGeometry | RectangleGeometry


@dataclass(frozen=True)
class UltrasoundField:
    """Where a clip shows ultrasound, as found or as known.

    Attributes:
        kind: ``"sector"``, ``"linear"``, or ``"none"`` where no outline was found.
        geometry: The outline; None for ``"none"``.
        mask: Pixels whose centre lies inside, bool, shape ``(H, W)``; all of them for ``"none"``.
        confidence: In [0, 1]; what it means is said at `detect_field`.
    """

    kind: FieldKind
    geometry: Geometry | None
    mask: Tensor
    confidence: float

    @classmethod
    def of(cls, geometry: Geometry, height: int, width: int, confidence: float = 1.0) -> UltrasoundField:
        """The field of a known outline in a frame of `height` rows and `width` columns."""
        kind: FieldKind = "sector" if isinstance(geometry, SectorGeometry) else "linear"
        return cls(kind, geometry, geometry.signed_distance(*pixel_positions(height, width)) >= 0, confidence)

    @classmethod
    def nowhere(cls, height: int, width: int) -> UltrasoundField:
        """What is returned where no outline was found: the whole frame, confidence 0."""
        return cls("none", None, torch.ones(height, width, dtype=torch.bool), 0.0)

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the smallest box around the mask; ValueError if the mask is empty."""
        if not self.mask.any():
            raise ValueError(f"no pixel of the frame {tuple(self.mask.shape)} lies inside {self.geometry}")
        rows, columns = (self.mask.any(dim).nonzero().flatten() for dim in (1, 0))
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    def cropped(self, rows: slice, columns: slice) -> UltrasoundField:
        """The field in the frame that is left after a crop."""
        geometry = self.geometry and self.geometry.shifted(-float(rows.start), -float(columns.start))
        return replace(self, geometry=geometry, mask=self.mask[rows, columns])

    def mirrored(self) -> UltrasoundField:
        """The field after left and right of the frame have been swapped."""
        geometry = self.geometry and self.geometry.mirrored(self.mask.shape[1])
        return replace(self, geometry=geometry, mask=self.mask.flip(1))
