# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Torchmetrics as metrics of ignite and MONAI: an evaluator updates and reports them, ``MetricsSaver`` writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from ignite.metrics import Metric
from monai.data import MetaTensor
from torch import Tensor
from torchmetrics import Metric as TorchMetric
from torchmetrics import MetricCollection

__all__ = ["SampleMetricHandler", "TorchMetricHandler"]


class TorchMetricHandler(Metric):
    """A torchmetric in the place of ``IgniteMetricHandler``: a `key_val_metric` or `additional_metrics` of evaluators.

    The torchmetric adds up over processes by itself. A result of several values is reported under ``name_key`` for
    each, so that every entry of ``engine.state.metrics`` is one number; such a metric cannot be the key metric.

    Args:
        metric: any torchmetric, or a collection of them.
        output_transform: turns the evaluator's output into the arguments of `metric.update`, such as
            ``from_engine(["pred", "label"])``; lists of tensors, as MONAI decollates batches, are stacked.

    Example:
        >>> from ignite.engine import Engine
        >>> from torchmetrics import MeanMetric
        >>> engine = Engine(lambda engine, batch: batch)
        >>> TorchMetricHandler(MeanMetric(), lambda output: [output]).attach(engine, "mean")
        >>> engine.run([1.0, 2.0, 6.0]).metrics
        {'mean': 3.0}
    """

    def __init__(
        self,
        metric: TorchMetric | MetricCollection,
        output_transform: Callable[[Any], Sequence[Any]] = lambda output: output,
    ) -> None:
        self.metric = metric
        super().__init__(output_transform, skip_unrolling=True)

    def reset(self) -> None:
        """Reset the torchmetric, as ignite does at the start of each epoch."""
        self.metric.reset()

    def update(self, output: Sequence[Any]) -> None:
        """Update the torchmetric with the transformed output of one iteration."""
        self.metric.update(*map(_stacked, output))

    def compute(self) -> Any:
        """Return what the torchmetric computes."""
        return self.metric.compute()

    def completed(self, engine: Engine, name: str) -> None:
        """Write the result into ``engine.state.metrics``, one number for each entry."""
        engine.state.metrics.update(_numbers(name, self.compute()))


class SampleMetricHandler(TorchMetricHandler):
    """A torchmetric that compares a sample of synthetic clips with one of real clips, by ``update(clips, real)``.

    Args:
        metric: such as :class:`~monai_feat.metrics.FrechetVideoDistance`.
        output_transform: turns the evaluator's output into synthetic and real clips, in this order, which is MONAI's
            of prediction and label; see :class:`TorchMetricHandler`.

    Example:
        >>> from ignite.engine import Engine
        >>> import torch
        >>> from monai_feat.metrics import FrechetVideoDistance
        >>> engine = Engine(lambda engine, batch: (batch, batch - 1))
        >>> distance = FrechetVideoDistance(torch.nn.Flatten(), num_features=4)
        >>> SampleMetricHandler(distance).attach(engine, "fvd")
        >>> engine.run([torch.ones(8, 1, 1, 2, 2)]).metrics
        {'fvd': 4.0}
    """

    def update(self, output: Sequence[Any]) -> None:
        """Update the torchmetric with synthetic and real clips of one iteration."""
        fake, real = map(_stacked, output)
        self.metric.update(fake, real=False)
        self.metric.update(real, real=True)


def _numbers(name: str, result: Any) -> Iterator[tuple[str, float]]:
    """Yield the numbers in a result, named by its keys, or by their places in a tuple or vector."""
    if isinstance(result, Mapping):
        parts = result.items()
    elif isinstance(result, (tuple, list)) or (isinstance(result, Tensor) and result.ndim > 0):
        parts = dict(enumerate(result)).items()
    else:
        yield name, float(result)
        return
    for key, part in parts:
        yield from _numbers(f"{name}_{key}", part)


def _stacked(argument: Any) -> Any:
    """Return a batch for a list of items, and tensors without their metadata, which no metric reads."""
    if isinstance(argument, (list, tuple)) and argument and all(isinstance(item, Tensor) for item in argument):
        argument = torch.stack(tuple(argument))
    return argument.as_tensor() if isinstance(argument, MetaTensor) else argument
