# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Means over clips of motion, its acceleration, warping error and flicker."""

from __future__ import annotations

from torch import Tensor

from monai_feat.metrics.clip_mean import ClipMean
from monai_feat.metrics.functional.motion import flicker, motion_acceleration, motion_magnitude, warping_error

__all__ = ["Flicker", "MotionAcceleration", "MotionMagnitude", "WarpingError"]


class MotionMagnitude(ClipMean):
    """Mean motion in pixels per frame; see `functional.motion_magnitude`.

    Neither more nor less is better: compare with real clips, by `PropertyDistance` as a distribution.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> motion = MotionMagnitude()
        >>> motion.update(torch.full((2, 1, 4, 32, 32), 90, dtype=torch.uint8))
        >>> motion.compute().round(decimals=3)
        tensor(0., dtype=torch.float64)
    """

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)`` with T ≥ 2."""
        self._add(motion_magnitude(clips))


class MotionAcceleration(ClipMean):
    """Mean acceleration in pixels per frame², the opposite of smoothness; see `functional.motion_acceleration`.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> acceleration = MotionAcceleration()
        >>> acceleration.update(torch.full((2, 1, 4, 32, 32), 90, dtype=torch.uint8))
        >>> acceleration.compute().round(decimals=3)
        tensor(0., dtype=torch.float64)
    """

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)`` with T ≥ 3."""
        self._add(motion_acceleration(clips))


class WarpingError(ClipMean):
    """Mean squared change along the flow where nothing is hidden; see `functional.warping_error`.

    A frozen clip is perfect: read it beside the motion.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> error = WarpingError()
        >>> error.update(torch.full((2, 3, 4, 32, 32), 90, dtype=torch.uint8))
        >>> error.compute()
        tensor(0., dtype=torch.float64)
    """

    higher_is_better = False

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)`` with T ≥ 2."""
        self._add(warping_error(clips))


class Flicker(ClipMean):
    """Mean alternation of brightness that motion does not explain, in levels of 255; see `functional.flicker`.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> levels = torch.tensor([100, 108, 100, 108], dtype=torch.uint8)
        >>> flicker = Flicker()
        >>> flicker.update(levels[None, None, :, None, None].expand(1, 1, 4, 32, 32))
        >>> flicker.compute()
        tensor(8., dtype=torch.float64)
    """

    higher_is_better = False

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)`` with T ≥ 3."""
        self._add(flicker(clips))
