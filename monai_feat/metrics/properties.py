# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The distance between real and synthetic clips in one property."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from monai_feat.metrics.functional.properties import Property, get_property, property_distance

__all__ = ["PropertyDistance"]


class PropertyDistance(Metric):
    """1-Wasserstein distance between the distributions of one property over real and over synthetic clips.

    A mean can agree where a distribution does not: a set of which half is frozen and half too fast has the right mean
    motion. Clips whose value is undefined (NaN) are left out, and `compute` warns how many these were.

    Args:
        measured: a property, or the name of one in `PROPERTIES`.
        kwargs: of `torchmetrics.Metric`.

    Raises:
        KeyError: there is no property of this name.

    Example:
        >>> import torch
        >>> grey = torch.full((2, 3, 1, 8, 8), 90, dtype=torch.uint8)
        >>> distance = PropertyDistance("lightness")
        >>> distance.update(grey, real=True)
        >>> distance.update(grey + 20, real=False)
        >>> round(distance.compute().item(), 1)
        8.2
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    plot_lower_bound = 0.0

    def __init__(self, measured: Property | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_dtype(torch.float64)  # of the empty share of a process that has no clips of a side
        self.measured = get_property(measured) if isinstance(measured, str) else measured
        # A collection merges metrics whose states have equal names and values, and two properties may both be 0.
        self.add_state(f"{self.measured.name}_real", [], dist_reduce_fx="cat")
        self.add_state(f"{self.measured.name}_fake", [], dist_reduce_fx="cat")

    def update(self, clips: Tensor, real: bool) -> None:
        """Add clips of one side, uint8 ``(B, C, T, H, W)``."""
        self._keep(self.measured(clips), real)

    def update_values(self, values: Tensor, real: bool) -> None:
        """Add values of clips that were measured before, ``(B,)``."""
        self._computed = None
        self._update_count += 1
        self._keep(values, real)

    def _keep(self, values: Tensor, real: bool) -> None:
        getattr(self, f"{self.measured.name}_{'real' if real else 'fake'}").append(values.double())

    def compute(self) -> Tensor:
        """Return the distance in the property's unit, float64 ``()``.

        Raises:
            ValueError: a side has no clip with a value.
        """
        return property_distance(self._values("real"), self._values("fake"))

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot the given value or sequence of values, or what `compute` gives; see `torchmetrics.Metric.plot`."""
        return self._plot(val, ax)

    def _values(self, side: str) -> Tensor:
        collected = getattr(self, f"{self.measured.name}_{side}")
        values: Tensor = dim_zero_cat(collected) if len(collected) else torch.zeros(0, dtype=torch.float64)
        undefined = int(values.isnan().sum())
        if undefined:
            warnings.warn(
                f"{self.measured.title}: {undefined} of {len(values)} {side} clips have no value and are left out",
                stacklevel=3,
            )
        if undefined == len(values):
            raise ValueError(f"{self.measured.title}: none of {len(values)} {side} clips has a value; add clips")
        return values[~values.isnan()]
