# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Random features under a name, for the tests of scores."""

from __future__ import annotations

import torch

from evaluation.scoring.feature_cache import Sample
from monai_feat.metrics.features import FeatureNetwork


class Named(FeatureNetwork):
    name = "named"

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def sample(count: int, features: int, seed: int, shift: float = 0.0, prefix: str = "g") -> Sample:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(count, features, generator=generator, dtype=torch.float64) + shift
    return Sample(values, [f"{prefix}{seed}.{i}" for i in range(count)])
