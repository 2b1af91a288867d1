# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from monai_feat.metrics import AuthPct, FeatureMetric, NearestNeighbourRatio, PrecisionRecallDensityCoverage
from monai_feat.metrics.functional import (
    authenticity,
    nearest_neighbour_ratio,
    precision_recall_density_coverage,
)


@pytest.fixture
def samples() -> tuple[Tensor, Tensor]:
    return torch.randn(30, 4), torch.randn(20, 4)


def filled(metric: FeatureMetric, real: Tensor, fake: Tensor) -> FeatureMetric:
    metric.update_features(real, real=True)
    metric.update_features(fake, real=False)
    return metric


def test_classes_are_their_functions(samples: tuple[Tensor, Tensor]) -> None:
    scores = filled(PrecisionRecallDensityCoverage(k=2), *samples).compute()
    assert scores == precision_recall_density_coverage(*samples, k=2)
    assert filled(AuthPct(), *samples).compute() == 100 * authenticity(*samples)
    found = filled(NearestNeighbourRatio(threshold=0.8), *samples).compute()
    ratios = nearest_neighbour_ratio(*samples)
    assert found == {"median_ratio": ratios.median(), "memorised_share": (ratios < 0.8).double().mean()}


def test_copies_are_seen(samples: tuple[Tensor, Tensor]) -> None:
    train, fake = samples
    copies = torch.cat([train[:5], fake[:5]])
    assert filled(NearestNeighbourRatio(), train, copies).compute()["memorised_share"] >= 0.5
    assert filled(AuthPct(), train, copies).compute() <= 50


def test_too_few_clips_are_refused(samples: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(ValueError, match="more than k = 5 rows on each side, got 4 real and 20 fake"):
        filled(PrecisionRecallDensityCoverage(), samples[0][:4], samples[1]).compute()
    for metric in (AuthPct(), NearestNeighbourRatio()):
        with pytest.raises(ValueError, match="1 <= k"):
            filled(metric, samples[0][:1], samples[1]).compute()


@pytest.mark.parametrize("threshold", [0, 1.1])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"threshold in \(0, 1\]"):
        NearestNeighbourRatio(threshold=threshold)
