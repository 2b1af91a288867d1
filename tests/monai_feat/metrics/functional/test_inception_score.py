# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from monai_feat.metrics.functional import inception_score


def test_it_is_the_published_loop() -> None:
    logits = 3 * torch.randn(107, 6, dtype=torch.float64)
    chances = scipy.special.softmax(logits.numpy(), axis=1)
    wanted = []
    for split in range(10):
        part = chances[split * 107 // 10 : (split + 1) * 107 // 10]
        wanted.append(np.exp(np.mean([scipy.stats.entropy(row, part.mean(0)) for row in part])))
    mean, deviation = inception_score(logits)
    assert mean.item() == pytest.approx(np.mean(wanted), rel=1e-12)
    assert deviation.item() == pytest.approx(np.std(wanted), rel=1e-12)


def test_it_lies_between_one_and_the_number_of_classes() -> None:
    unsure, _ = inception_score(torch.zeros(40, 5))
    alike, _ = inception_score(1000 * torch.eye(5)[0].repeat(40, 1))
    all_classes, _ = inception_score(1000 * torch.eye(5).repeat(40, 1))
    assert [unsure.item(), alike.item(), all_classes.item()] == pytest.approx([1, 1, 5])


@pytest.mark.parametrize(
    ("logits", "complaint"),
    [
        (torch.zeros(9, 4), "at least one clip per split, got 9 clips for 10 splits"),
        (torch.zeros(40, 4, 2), r"logits \(N, D\), got shape \(40, 4, 2\)"),
        (torch.full((40, 4), torch.nan), "logits hold NaN"),
    ],
)
def test_unusable_logits_are_refused(logits: torch.Tensor, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        inception_score(logits)
