# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import torch

from downstream.metric_table import METRICS
from downstream.metrics import score_clip


def test_the_table_is_of_what_is_computed() -> None:
    mask = torch.zeros(1, 2, 8, 8, dtype=torch.uint8)
    assert list(score_clip(mask, mask)) == list(METRICS)


def test_the_best_value_is_an_end_of_the_range() -> None:
    truth = torch.zeros(1, 2, 8, 8, dtype=torch.uint8)
    truth[:, :, 2:6, 2:6] = 1
    for name, value in score_clip(truth, truth).items():
        metric = METRICS[name]
        assert value == (metric.high if metric.higher_is_better else metric.low)
