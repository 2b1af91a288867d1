# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.metrics.functional.moments import mean_and_covariance, merge_moments, moments_of, no_moments


@pytest.mark.parametrize("correction", [0, 1])
def test_a_block_holds_the_moments(correction: int) -> None:
    features = torch.randn(20, 4)
    mean, covariance = mean_and_covariance(moments_of(features), correction)
    torch.testing.assert_close(mean, features.double().mean(dim=0))
    torch.testing.assert_close(covariance, torch.cov(features.double().T, correction=correction))


def test_parts_of_any_size_give_the_whole() -> None:
    features = 1e5 + torch.randn(40, 3, dtype=torch.float64)
    parts = [moments_of(part) for part in features.split([1, 30, 2, 7])]
    merged = merge_moments(torch.stack([no_moments(3), *parts, no_moments(3)]))
    torch.testing.assert_close(merged, moments_of(features), rtol=1e-12, atol=1e-9)
    nested = merge_moments(torch.stack([merge_moments(torch.stack(parts[:2])), merge_moments(torch.stack(parts[2:]))]))
    torch.testing.assert_close(nested, merged, rtol=1e-12, atol=1e-9)


def test_nothing_and_nothing_is_nothing() -> None:
    assert torch.equal(merge_moments(torch.stack([no_moments(2), no_moments(2)])), no_moments(2))


def test_a_block_is_symmetric_to_the_bit() -> None:
    block = moments_of(1e6 + torch.randn(100, 33, dtype=torch.float64))
    assert torch.equal(block, block.T)


def test_samples_of_other_features_are_refused() -> None:
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        merge_moments(torch.stack([no_moments(2), no_moments(3)]))
