# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from monai_feat.metrics.functional import (
    frechet_distance_from_features,
    kernel_distance,
    part_distances,
    standardise_features,
)

PARTS = {"low": slice(0, 2), "high": slice(2, 5)}


def features(count: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_scale_is_that_of_the_real_clips() -> None:
    real, fake = features(40, 0), features(30, 1, shift=0.5)
    found = standardise_features(real, fake, 1e-6)
    mean, deviation = real.numpy().mean(axis=0), real.numpy().std(axis=0, ddof=1)
    for side, raw in zip(found, (real, fake), strict=True):
        np.testing.assert_allclose(side, np.arcsinh(3 * (raw.numpy() - mean) / deviation) / 3, rtol=1e-12)
    scale, offset = torch.tensor([1.0, 10.0, 1e3, 1e-2, 7.0], dtype=torch.float64), torch.arange(5.0)
    again = standardise_features(real * scale + offset, fake * scale + offset, 1e-6)
    torch.testing.assert_close(again[1], found[1])


def test_near_the_mean_it_is_linear_and_far_away_logarithmic() -> None:
    real = torch.tensor([[-1.0], [1.0]], dtype=torch.float64) / 2**0.5  # of deviation 1
    _, fake = standardise_features(real, torch.tensor([[1e-3], [1e3], [1e6]], dtype=torch.float64), 1e-6)
    assert fake[0].item() == pytest.approx(1e-3, rel=1e-5)
    assert (fake[2] - fake[1]).item() == pytest.approx(np.log(1e3) / 3, rel=1e-6)


def test_what_all_clips_share_is_nothing_and_what_real_ones_share_counts_by_resolution() -> None:
    constant = torch.full((9, 5), 4.0, dtype=torch.float64)
    assert not any(side.any() for side in standardise_features(constant, constant, 0.1))
    _, fake = standardise_features(constant, constant + 0.01, 0.1)
    assert fake[0, 0].item() == pytest.approx(np.arcsinh(0.3) / 3, rel=1e-5)


@pytest.mark.parametrize(
    ("distance", "slow"), [("kernel", kernel_distance), ("frechet", frechet_distance_from_features)]
)
def test_each_part_is_the_distance_of_its_columns(distance: str, slow: object) -> None:
    real, fake = features(40, 0), features(30, 1, shift=0.5)
    found = part_distances(real, fake, PARTS, 1e-3, distance)  # type: ignore[arg-type]
    assert list(found) == list(PARTS)
    scaled = standardise_features(real, fake, 1e-3)
    for name, part in PARTS.items():
        torch.testing.assert_close(found[name], slow(scaled[0][:, part], scaled[1][:, part]))  # type: ignore[operator]


def test_what_cannot_be_used_is_an_error() -> None:
    real = features(4, 0)
    with pytest.raises(ValueError, match=r"expected distance to be one of \('kernel', 'frechet'\), got 'cosine'"):
        part_distances(real, real, PARTS, 1e-3, "cosine")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one part"):
        part_distances(real, real, {}, 1e-3)
    with pytest.raises(ValueError, match="resolution above 0, got 0"):
        standardise_features(real, real, 0)
    with pytest.raises(ValueError, match="real features"):
        standardise_features(real[:1], real, 1e-3)
