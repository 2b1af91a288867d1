# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance

from monai_feat.metrics import KernelVideoDistance
from tests.monai_feat.metrics.test_frechet import Projection


class FrameProjection(Projection):
    """Says of itself that it takes frames, as ours wants to know."""

    takes = "frames"


def test_it_agrees_with_torchmetrics_on_one_subset_that_is_the_whole() -> None:
    network = FrameProjection()
    real, fake = (torch.randint(0, top, (30, 3, 4, 4), dtype=torch.uint8) for top in (256, 200))
    ours, theirs = KernelVideoDistance(network), KernelInceptionDistance(network, subsets=1, subset_size=30)
    for metric in (ours, theirs):
        metric.update(real, real=True)
        metric.update(fake, real=False)
    assert ours.compute().item() == pytest.approx(theirs.compute()[0].item(), rel=1e-6)


def test_two_clips_are_needed_on_each_side() -> None:
    metric = KernelVideoDistance()
    metric.update_features(torch.zeros(1, 3), real=True)
    metric.update_features(torch.zeros(4, 3), real=False)
    with pytest.raises(ValueError, match="at least 2 rows of real features, got 1"):
        metric.compute()
