# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.metrics.features.base import FeatureNetwork, check_features, to_rgb


@pytest.mark.parametrize("shape", [(2, 1, 4, 5), (2, 1, 3, 4, 5)])
def test_grey_is_repeated_without_a_copy(shape: tuple[int, ...]) -> None:
    grey = torch.randint(0, 256, shape, dtype=torch.uint8)
    rgb = to_rgb(grey)
    assert torch.equal(rgb, grey.repeat_interleave(3, dim=1))
    assert rgb.data_ptr() == grey.data_ptr()
    assert to_rgb(rgb) is rgb
    with pytest.raises(ValueError, match=r"grey or RGB pixels .* got shape \(2, 2,"):
        to_rgb(torch.zeros(2, 2, 4, 5))


def test_features_are_one_finite_vector_each() -> None:
    features = torch.rand(3, 7)
    assert check_features(features, 3, "toy") is features
    for wrong in (torch.rand(2, 7), torch.rand(3), torch.rand(3, 7, 1)):
        with pytest.raises(ValueError, match=r"feature network toy: expected features .* N = 3"):
            check_features(wrong, 3, "toy")
    features[1, 2:4], features[2, 0] = torch.nan, torch.inf
    with pytest.raises(ValueError, match="features of 2 of 3 inputs are NaN or infinite"):
        check_features(features, 3, "toy")


def test_a_network_must_say_what_it_is() -> None:
    network = FeatureNetwork()
    with pytest.raises(NotImplementedError, match="define its property identity"):
        _ = network.identity
    with pytest.raises(NotImplementedError, match="no forward"):
        network(torch.zeros(1, 3, 2, 4, 4, dtype=torch.uint8))
