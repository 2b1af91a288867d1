# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor
from torchmetrics import MetricCollection

from monai_feat.metrics import ClipMean


class Given(ClipMean):
    """The mean of the values it is given."""

    def update(self, values: Tensor) -> None:
        self._add(values)


def test_any_batches_give_the_mean_in_float64() -> None:
    values = torch.rand(37, dtype=torch.float64)
    metric = Given()
    for batch in values.split(5):
        metric.update(batch)
    assert metric.compute().dtype == torch.float64
    assert metric.compute().item() == pytest.approx(values.mean().item(), rel=1e-12)
    metric.reset()
    metric.update(values[:3])
    assert metric.compute().item() == pytest.approx(values[:3].mean().item(), rel=1e-12)


def test_undefined_values_are_left_out_and_counted() -> None:
    metric = Given()
    metric.update(torch.tensor([1.0, float("nan"), 4.0]))
    with pytest.warns(UserWarning, match="Given: 1 of 3 clips have no value"):
        assert metric.compute() == 2.5
    empty = Given()
    empty.update(torch.tensor([float("nan")]))
    with pytest.warns(UserWarning, match="1 of 1 clips"):
        assert empty.compute().isnan()


def test_a_collection_does_not_merge_what_agrees_at_first() -> None:
    metrics = MetricCollection({"fine": Given(settings=(0.5,)), "coarse": Given(settings=(2,))})
    metrics.update(torch.zeros(2))
    metrics["fine"].update(torch.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert {name: value.item() for name, value in metrics.compute().items()} == {"fine": 0.5, "coarse": 0}
