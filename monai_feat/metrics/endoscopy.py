# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Specular highlights as means over clips, and the distance between the colours of two sets of clips."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from monai_feat.metrics.clip_mean import ClipMean
from monai_feat.metrics.functional.endoscopy import lab_pixels, specular_area, specular_lifetime
from monai_feat.metrics.functional.frechet import frechet_distance
from monai_feat.metrics.functional.moments import mean_and_covariance, merge_moments, moments_of, no_moments

__all__ = ["LabColourDistance", "SpecularArea", "SpecularLifetime"]


class SpecularArea(ClipMean):
    """Mean share of the frame that shows specular highlights; see `functional.specular_area`.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> clips = torch.full((1, 3, 2, 64, 64), 60, dtype=torch.uint8)
        >>> clips[..., 30:32, 20:22] = 250
        >>> area = SpecularArea()
        >>> area.update(clips)
        >>> area.compute() * 64 * 64
        tensor(4., dtype=torch.float64)
    """

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 RGB ``(B, 3, T, H, W)``."""
        self._add(specular_area(clips))


class SpecularLifetime(ClipMean):
    """Mean time for which a highlight lasts; see `functional.specular_lifetime`.

    Args:
        frame_rate: Hz; at 1, the result is in frames.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> clips = torch.full((1, 3, 8, 64, 64), 60, dtype=torch.uint8)
        >>> clips[:, :, 2:5, 30:32, 20:22] = 250
        >>> lifetime = SpecularLifetime(frame_rate=30)
        >>> lifetime.update(clips)
        >>> lifetime.compute()
        tensor(0.1000, dtype=torch.float64)
    """

    def __init__(self, frame_rate: float = 1.0, **kwargs: Any) -> None:
        super().__init__(settings=(frame_rate,), **kwargs)
        self.frame_rate = frame_rate

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 RGB ``(B, 3, T, H, W)``."""
        self._add(specular_lifetime(clips, self.frame_rate))


class LabColourDistance(Metric):
    """Distance between the colours of real and synthetic clips in ΔE*ab; see `functional.lab_colour_distance`.

    The states are number, mean and scatter of CIELAB values, in float64.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> distance = LabColourDistance()
        >>> distance.update(torch.full((1, 3, 2, 8, 8), 255, dtype=torch.uint8), real=True)
        >>> distance.update(torch.full((1, 3, 2, 8, 8), 0, dtype=torch.uint8), real=False)
        >>> distance.compute().round()
        tensor(100., dtype=torch.float64)
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    plot_lower_bound = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for side in ("real", "fake"):
            self.add_state(f"{side}_moments", no_moments(3), dist_reduce_fx=merge_moments)

    def update(self, clips: Tensor, real: bool) -> None:
        """Add clips of one side, uint8 RGB ``(B, 3, T, H, W)``."""
        name = "real_moments" if real else "fake_moments"
        new = [moments_of(colours) for colours in lab_pixels(clips)]  # of (T·H·W, 3) each
        setattr(self, name, merge_moments(torch.stack([getattr(self, name), *new])))

    def compute(self) -> Tensor:
        """Return the distance, float64 ``()``.

        Raises:
            ValueError: a side has no clips.
        """
        distance: Tensor = frechet_distance(*self._moments("real"), *self._moments("fake"))
        return distance.sqrt()

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot the given value or sequence of values, or what `compute` gives; see `torchmetrics.Metric.plot`."""
        return self._plot(val, ax)

    def _moments(self, side: str) -> tuple[Tensor, Tensor]:
        moments: Tensor = getattr(self, f"{side}_moments")
        if moments[0, 0] == 0:
            raise ValueError(f"LabColourDistance has no {side} clips; update(clips, real={side == 'real'}) first")
        return mean_and_covariance(moments, correction=0)
