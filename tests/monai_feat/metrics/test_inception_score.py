# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_feat.metrics import InceptionScore
from monai_feat.metrics.functional import inception_score


def test_real_clips_play_no_part() -> None:
    metric = InceptionScore(nn.Flatten(), splits=3)
    fake = torch.randn(20, 1, 1, 2, 2)
    metric.update(torch.randn(9, 1, 1, 2, 2), real=True)
    metric.update(fake[:8], real=False)
    metric.update(fake[8:], real=False)
    mean, deviation = inception_score(fake.flatten(1), splits=3)
    assert metric.compute() == {"inception_score": mean, "inception_score_deviation": deviation}


def test_fewer_clips_than_splits_are_refused() -> None:
    metric = InceptionScore()
    metric.update_features(torch.randn(9, 4), real=False)
    with pytest.raises(ValueError, match="got 9 clips for 10 splits"):
        metric.compute()
