# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips whose field of view is known exactly."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from monai_feat.data.phantoms.heart import draw_heart
from monai_feat.transforms.ultrasound import RectangleGeometry, SectorGeometry, UltrasoundField
from monai_feat.transforms.ultrasound.geometry import Geometry, pixel_positions


def phantom_field(seed: int, height: int, width: int) -> UltrasoundField:
    """The field of `ultrasound_phantom`, derived anew from what its seed decides."""
    heart, unit = draw_heart(np.random.default_rng([1, seed])), min(height, width) / 2
    apex = height / 2 - 0.5 - unit * (0.97 + heart.footprint * math.cos(heart.half_angle))
    radii = (heart.footprint * unit, (1.95 + heart.footprint) * unit)
    geometry = SectorGeometry(apex, width / 2 - 0.5, -heart.half_angle, heart.half_angle, *radii)
    return UltrasoundField.of(geometry, height, width)


def speckled(geometry: Geometry, height: int = 64, width: int = 64, frames: int = 6, seed: int = 0) -> Tensor:
    """Speckle, new in each frame, inside an outline, and black around it: uint8 ``(1, T, H, W)``."""
    rng = np.random.default_rng(seed)
    grey = torch.from_numpy(rng.rayleigh(50, (1, frames, height, width))).float().add(20).clamp(max=255)
    inside = geometry.signed_distance(*pixel_positions(height, width)) >= 0
    return torch.where(inside, grey, 0.0).round().to(torch.uint8)


def overlap(one: Tensor, other: Tensor) -> float:
    """Intersection over union of two masks."""
    return float((one & other).sum() / (one | other).sum())


SECTOR = SectorGeometry(-8.0, 31.5, -0.6, 0.6, 16.0, 66.0)
RECTANGLE = RectangleGeometry(5.5, 57.5, 11.5, 49.5)
