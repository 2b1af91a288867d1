# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Geometric changes that an ultrasound image survives: turned about the probe, stretched along the beams, mirrored.

An affine map of the frame would give a sector that no probe makes. These act in the polar coordinates of the sector, so
the probe's face, the beams and the black around them stay what they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.transforms.ultrasound.geometry import Geometry, RectangleGeometry, pixel_positions

__all__ = ["FieldWarp", "Interpolation", "warp_field", "warp_geometry"]

Interpolation = Literal["bilinear", "nearest"]

_RIM = -0.5  # pixels: how far outside of the outline a smooth edge still is


@dataclass(frozen=True)
class FieldWarp:
    """One geometric change; as it stands, none.

    Attributes:
        angle: The sector and all in it turn about its apex by this, radians, positive towards the right of the image. A
            linear field has no apex and does not turn.
        depth_scale: Distances from the probe's face are multiplied by this; above 0. Above 1 the deepest part leaves
            the field, under 1 the field ends higher.
        mirror: Whether left and right of the frame are swapped, before all else.

    Raises:
        ValueError: `depth_scale` is not positive, or `angle` not within ±π/2.
    """

    angle: float = 0.0
    depth_scale: float = 1.0
    mirror: bool = False

    def __post_init__(self) -> None:
        if not (self.depth_scale > 0 and abs(self.angle) < math.pi / 2):
            raise ValueError(f"expected depth_scale > 0 and |angle| < π/2 radians, got {self}")


def warp_geometry(geometry: Geometry, warp: FieldWarp, width: int) -> Geometry:
    """The outline after a change, in a frame of `width` columns."""
    geometry = geometry.mirrored(width) if warp.mirror else geometry
    shrink = min(warp.depth_scale, 1.0)
    if isinstance(geometry, RectangleGeometry):
        return replace(geometry, bottom=geometry.top + shrink * (geometry.bottom - geometry.top))
    return replace(
        geometry,
        first_angle=geometry.first_angle + warp.angle,
        last_angle=geometry.last_angle + warp.angle,
        outer_radius=geometry.inner_radius + shrink * (geometry.outer_radius - geometry.inner_radius),
    )


def warp_field(
    clip: Tensor, geometry: Geometry, warp: FieldWarp, mode: Interpolation = "bilinear", fill: float = 0.0
) -> Tensor:
    """Turn, stretch and mirror what a field of view shows, by one sampling of the clip.

    In polar coordinates (r, φ) about the apex, with the probe's face at r₀, out(r, φ) = in(r₀ + (r − r₀)/s, φ − α)
    inside the new outline, `fill` outside. The tissue is deformed, not the ruler: a pixel is as many mm as before. What
    lay beyond the frame is unknown and becomes `fill`. Mirroring alone is exact and also swaps what is outside.

    Args:
        clip: ``(C, T, H, W)`` or any ``(..., H, W)``; pixels or labels.
        geometry: Outline of the field in this clip.
        warp: The change.
        mode: ``"bilinear"`` for pixels, ``"nearest"`` for labels.
        fill: Value around the field: 0 for uint8 and labels, -1 for float pixels.

    Returns:
        Tensor of the same shape and type.

    Raises:
        ValueError: There is no such mode.
    """
    if mode not in get_args(Interpolation):
        raise ValueError(f"expected mode to be one of {get_args(Interpolation)}, got {mode!r}")
    height, width = clip.shape[-2:]
    if warp.mirror:
        clip, geometry = clip.flip(-1), geometry.mirrored(width)
    if warp.depth_scale == 1 and (warp.angle == 0 or isinstance(geometry, RectangleGeometry)):
        return clip
    rows, columns = pixel_positions(height, width)
    inside = warp_geometry(geometry, replace(warp, mirror=False), width).signed_distance(rows, columns) >= _RIM
    sampled = _sample(clip, *_sources(geometry, warp, rows, columns), mode, fill)
    return sampled.masked_fill(~inside.to(clip.device), fill)


def _sources(geometry: Geometry, warp: FieldWarp, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns at which the clip is sampled, each ``(H, W)``."""
    if isinstance(geometry, RectangleGeometry):
        return geometry.top + (rows - geometry.top) / warp.depth_scale, columns
    radius, angle = geometry.polar(rows, columns)
    radius = geometry.inner_radius + (radius - geometry.inner_radius) / warp.depth_scale
    angle = angle - warp.angle
    return geometry.apex_row + radius * torch.cos(angle), geometry.apex_column + radius * torch.sin(angle)


def _sample(clip: Tensor, rows: Tensor, columns: Tensor, mode: Interpolation, fill: float) -> Tensor:
    height, width = clip.shape[-2:]
    grid = torch.stack([2 * columns / max(width - 1, 1) - 1, 2 * rows / max(height - 1, 1) - 1], dim=-1)
    frames = clip.reshape(1, -1, height, width).float() - fill  # around the frame zeros are sampled
    sampled = F.grid_sample(frames, grid[None].to(clip.device), mode, "zeros", align_corners=True).add_(fill)
    if not clip.is_floating_point():
        sampled = sampled.round_()
    return sampled.reshape(clip.shape).to(clip.dtype)
