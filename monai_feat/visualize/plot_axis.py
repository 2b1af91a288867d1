# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A range of values and its place in a plot, in per cent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

__all__ = ["Axis"]

_WIDE = 20.0  # positive values that span more than this factor get a logarithmic axis
_ROOM = 0.06  # of a linear axis, left free at an end


@dataclass(frozen=True)
class Axis:
    """A range of values, and where each of them lies in it."""

    low: float
    high: float
    is_log: bool = False

    @classmethod
    def around(cls, values: Iterable[float | None], with_zero: bool = False) -> Axis:
        """Return an axis around all finite values; logarithmic where they are positive and far apart.

        Args:
            values: None and values that are not finite are left out.
            with_zero: whether a linear axis must reach zero.

        Example:
            >>> Axis.around([1.0, 1000.0]).is_log, Axis.around([2.0, 4.0], with_zero=True).low
            (True, 0.0)
        """
        finite = [value for value in values if value is not None and math.isfinite(value)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        if low > 0 and high > _WIDE * low:
            return cls(low / 1.3, high * 1.3, is_log=True)
        if with_zero:
            low, high = min(low, 0.0), max(high, 0.0)
        room = _ROOM * ((high - low) or abs(high) or 1.0)
        stays_low, stays_high = (with_zero and end == 0 and high > low for end in (low, high))
        return cls(low if stays_low else low - room, high if stays_high else high + room)

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 100 at the high end, held within them.

        Example:
            >>> Axis(0.0, 4.0).place(1.0)
            25.0
        """
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, self.low))
        return 100 * min(1.0, max(0.0, (value - low) / (high - low)))

    def ticks(self, count: int = 5) -> list[float]:
        """Return about `count` round values within the axis."""
        if self.is_log:
            first, last = math.log10(self.low), math.log10(self.high)
            steps = (1, 2, 5) if last - first < 1.5 else (1, 3) if last - first < 2.3 else (1,)
            powers = range(math.floor(first), math.ceil(last) + 1)
            found = [step * 10.0**power for power in powers for step in steps]
            found = [value for value in found if self.low <= value <= self.high]
            return found[:: max(1, math.ceil(len(found) / (count + 1)))]
        values = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        return [float(value) for value in values if self.low - 1e-12 <= value <= self.high + 1e-12]
