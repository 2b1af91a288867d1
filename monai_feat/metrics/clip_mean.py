# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The base of metrics that average one value per clip."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["ClipMean"]


class ClipMean(Metric):
    """Mean over clips of one value per clip, from sums in float64 that add up over processes.

    Clips whose value is undefined (NaN, such as the lifetime of highlights where there are none) are left out, and
    `compute` warns how many these were; it is NaN where no clip has a value. A subclass has an `update` that measures
    clips and hands the values to `_add`.

    Args:
        settings: what tells this metric from others of its class. Class and settings name the states, because
            `MetricCollection` merges metrics for good whose states have equal names and, after the first batch, equal
            values, and on a frozen clip most of these metrics are 0.
        kwargs: of `torchmetrics.Metric`.
    """

    is_differentiable = False
    higher_is_better: bool | None = None
    full_state_update = False

    def __init__(self, *, settings: tuple[object, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._key = "_".join(map(str, (type(self).__name__, *settings))).replace(".", "_")
        for part in ("sum", "count", "undefined"):
            self.add_state(f"{self._key}_{part}", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def _add(self, values: Tensor) -> None:
        defined = ~values.isnan()
        parts = {"sum": values[defined].sum(), "count": defined.sum(), "undefined": (~defined).sum()}
        for part, added in parts.items():
            name = f"{self._key}_{part}"
            setattr(self, name, getattr(self, name) + added)

    def compute(self) -> Tensor:
        """Return the mean over all clips that have a value, float64 ``()``."""
        total, count, undefined = (getattr(self, f"{self._key}_{part}") for part in ("sum", "count", "undefined"))
        if undefined > 0:
            warnings.warn(
                f"{type(self).__name__}: {int(undefined)} of {int(undefined + count)} clips have no value "
                "and are left out of the mean",
                stacklevel=2,
            )
        mean: Tensor = total / count
        return mean

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot the given value or sequence of values, or what `compute` gives; see `torchmetrics.Metric.plot`."""
        return self._plot(val, ax)
