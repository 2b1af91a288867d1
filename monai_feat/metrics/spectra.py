# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Power of synthetic over real clips: whether clips move as much, and hold as much detail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from monai_feat.metrics.functional.clips import check_clips
from monai_feat.metrics.functional.spectra import spatial_power, temporal_power

__all__ = ["SpatialPowerRatio", "TemporalPowerRatio"]


class _PowerRatio(Metric):
    """Mean power of synthetic clips over that of real ones, mode by mode, from sums in float64.

    1 is right; neither more nor less is better.

    Args:
        power: gives the power of each mode of clips, ``(B, modes)``.
        kwargs: of `torchmetrics.Metric`.
    """

    is_differentiable = False
    higher_is_better: bool | None = None
    full_state_update = False

    real_power: Tensor
    fake_power: Tensor
    real_count: Tensor
    fake_count: Tensor

    def __init__(self, power: Callable[[Tensor], Tensor], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power
        for side in ("real", "fake"):
            self.add_state(f"{side}_power", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
            self.add_state(f"{side}_count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, clips: Tensor, real: bool) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)``, to the real or the synthetic side."""
        power, side = self.power(check_clips(clips)), "real" if real else "fake"
        setattr(self, f"{side}_power", getattr(self, f"{side}_power") + power.sum(dim=0))
        setattr(self, f"{side}_count", getattr(self, f"{side}_count") + len(clips))

    def compute(self) -> Tensor:
        """Return the ratios, float64 ``(modes,)``; NaN where there were no clips on a side."""
        return (self.fake_power / self.fake_count) / (self.real_power / self.real_count)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot the given value or sequence of values, or what `compute` gives; see `torchmetrics.Metric.plot`."""
        return self._plot(val, ax)


class TemporalPowerRatio(_PowerRatio):
    """How much synthetic clips move over how much real ones do, by temporal mode; see `functional.temporal_power`.

    Below 1 in slow modes, things stand still; above 1 in fast ones, they flicker.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> ratio, clips = TemporalPowerRatio(), torch.randint(0, 120, (2, 1, 4, 8, 8)).to(torch.uint8)
        >>> ratio.update(clips, real=True)
        >>> ratio.update(2 * clips, real=False)
        >>> ratio.compute()
        tensor([4., 4., 4., 4.], dtype=torch.float64)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(temporal_power, **kwargs)


class SpatialPowerRatio(_PowerRatio):
    """How much detail synthetic clips have over how much real ones do, from coarse to fine; see `spatial_power`.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> ratio, clips = SpatialPowerRatio(), torch.randint(0, 120, (2, 1, 4, 8, 8)).to(torch.uint8)
        >>> ratio.update(clips, real=True)
        >>> ratio.update(2 * clips, real=False)
        >>> ratio.compute()
        tensor([4., 4., 4., 4.], dtype=torch.float64)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(spatial_power, **kwargs)
