# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from evaluation.scoring.spaces import FeatureSpace, offline_spaces, published_spaces
from monai_feat.metrics.functional import frechet_distance_from_features
from tests.evaluation.features import Named, sample


def test_parts_are_averaged_and_count_as_the_features() -> None:
    real, fake = sample(60, 6, 0), sample(60, 6, 1)
    space = FeatureSpace(Named(6), "names", parts=(slice(0, 3), slice(3, 6)))
    parts = [float(frechet_distance_from_features(real.features[:, p], fake.features[:, p])) for p in space.parts]
    assert space.frechet(real.features, fake.features) == pytest.approx(sum(parts) / 2)
    assert space.num_features == 3


def test_standardising_goes_by_the_real_clips() -> None:
    real, fake = sample(60, 3, 0), sample(60, 3, 1)
    space = FeatureSpace(Named(3), "names", resolution=1e-6)
    scale = torch.tensor([1.0, 100.0, 1e-3], dtype=torch.float64)
    expected = space.frechet(real.features, fake.features)
    assert space.frechet(real.features * scale + 7, fake.features * scale + 7) == pytest.approx(expected)
    constant = real.features.clone()
    constant[:, 1] = 5
    assert torch.isfinite(torch.tensor(space.frechet(constant, fake.features)))


def test_offline_spaces_need_nothing() -> None:
    random, descriptors = offline_spaces()
    assert (random.key, descriptors.key) == ("random_features", "descriptors")
    assert random.num_features * len(random.parts) == random.network.num_features


def test_an_unknown_network_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'resnet'.*i3d, video_mae, inception"):
        published_spaces({"resnet": "a"}, 16)
    with pytest.raises(FileNotFoundError):
        published_spaces({"i3d": "nowhere.pt"}, 16)
