# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Estimates and their variances against slow twins, finite differences and asymptotic variances in closed form."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import t as student
from torch import Tensor

from evaluation.scoring.estimates import (
    Estimate,
    deal_groups,
    estimate_frechet,
    estimate_infinite_frechet,
    estimate_kernel,
    estimate_mean,
    group_numbers,
)
from monai_feat.metrics.functional import frechet_distance_from_features, kernel_distance


def normal(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def each(count: int) -> Tensor:
    return torch.arange(count)


def naive_kernel(real: Tensor, fake: Tensor, real_groups: Tensor, fake_groups: Tensor) -> Tensor:
    def mean(a: Tensor, b: Tensor, kept: Tensor) -> Tensor:
        return ((a @ b.T / a.shape[1] + 1) ** 3)[kept].mean()

    within = [mean(x, x, g[:, None] != g) for x, g in ((real, real_groups), (fake, fake_groups))]
    return sum(within) - 2 * mean(real, fake, torch.ones(len(real), len(fake), dtype=torch.bool))


def weighted_frechet(real: Tensor, fake: Tensor, weights: Tensor) -> float:
    """The distance where real clips weigh `weights`; covariances are divided by N."""
    weights = weights / weights.sum()
    mean = weights @ real
    real, fake, shift = (real - mean) * weights.sqrt()[:, None], fake - fake.mean(0), mean - fake.mean(0)
    overlap = torch.linalg.matrix_norm(real @ fake.T, "nuc") / len(fake) ** 0.5
    return float(shift.square().sum() + real.square().sum() + fake.square().sum() / len(fake) - 2 * overlap)


@pytest.mark.parametrize(("count", "other"), [(40, 30), (5, 30), (30, 5), (5, 4)])
def test_frechet_value_is_the_distance(count: int, other: int) -> None:
    real, fake = normal(count, 6), 2 * normal(other, 6, seed=1) + 1
    found = estimate_frechet(real, fake, each(count), each(other))
    assert found.value == pytest.approx(float(frechet_distance_from_features(real, fake)), rel=1e-8)
    uncorrected = estimate_frechet(real, fake, each(count), each(other), correction=0)
    assert uncorrected.value == pytest.approx(float(frechet_distance_from_features(real, fake, 0)), rel=1e-8)


@pytest.mark.parametrize(("count", "other"), [(40, 30), (30, 5), (10, 30)])
def test_frechet_variance_is_that_of_derivatives_in_the_weights(count: int, other: int) -> None:
    real, fake = normal(count, 12), 2 * normal(other, 12, seed=1) + 1
    groups = each(count) % 10
    step, slopes = 1e-5, []
    for group in range(10):
        ends = [weighted_frechet(real, fake, torch.ones(count).double() + s * (groups == group)) for s in (step, -step)]
        slopes.append((ends[0] - ends[1]) / (2 * step))
    expected = 10 / 9 * sum(slope**2 for slope in slopes)
    found = estimate_frechet(real, fake, groups, each(other), correction=0)
    assert found.variances[0] == pytest.approx(expected, rel=1e-4)
    assert found.groups == (10, other)


def test_frechet_variance_is_the_asymptotic_one_in_one_dimension() -> None:
    # FD = (μ - ν)² + (σ - τ)²; x has influence 2 (μ - ν) (x - μ) + (1 - τ/σ) ((x - μ)² - σ²), independent parts
    shift, sigma, tau, count = 0.7, 1.5, 0.6, 40_000
    real, fake = sigma * normal(count, 1), shift + tau * normal(count, 1, seed=1)
    found = estimate_frechet(real, fake, each(count), each(count))
    expected = [(4 * shift**2 * s**2 + 2 * (1 - r) ** 2 * s**4) / count for s, r in ((1.5, 0.4), (0.6, 2.5))]
    assert found.variances == pytest.approx(expected, rel=0.05)
    assert found.value == pytest.approx(shift**2 + (sigma - tau) ** 2, abs=4 * sum(expected) ** 0.5)


def test_frechet_does_not_depend_on_rotation_or_order() -> None:
    real, fake = normal(30, 4), normal(20, 4, seed=1) + 0.5
    rotation = torch.linalg.qr(normal(4, 4, seed=2)).Q
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    here = estimate_frechet(real, fake, each(30), each(20))
    there = estimate_frechet(real[order] @ rotation + 3, fake @ rotation + 3, each(30), each(20))
    assert there.value == pytest.approx(here.value, rel=1e-9)
    assert there.variances == pytest.approx(here.variances, rel=1e-9)


def test_extrapolation_removes_most_of_the_bias() -> None:
    biased, corrected = [], []
    for seed in range(20):
        real, fake = normal(200, 20, seed=seed), normal(200, 20, seed=seed + 100)
        found = estimate_infinite_frechet(real, fake, each(200), each(200), seed=seed)
        corrected.append(found.value)
        biased.append(float(frechet_distance_from_features(real, fake)))
    assert sum(biased) / 20 > 1
    assert abs(sum(corrected) / 20) < 0.1


def test_kernel_with_a_group_for_each_clip_is_the_kernel_distance() -> None:
    real, fake = normal(25, 3), normal(18, 3, seed=1) + 0.5
    found = estimate_kernel(real, fake, each(25), each(18))
    assert found.value == pytest.approx(float(kernel_distance(real, fake)), rel=1e-10)


def test_kernel_is_the_naive_one_with_each_group_left_out() -> None:
    real, fake = normal(25, 3), normal(18, 3, seed=1) + 0.5
    groups = each(25) % 7, each(18) % 4
    found = estimate_kernel(real, fake, *groups)
    assert found.value == pytest.approx(float(naive_kernel(real, fake, *groups)), rel=1e-10)
    for side in (0, 1):
        left_out = []
        for group in groups[side].unique():
            kept = [torch.ones(25, dtype=torch.bool), torch.ones(18, dtype=torch.bool)]
            kept[side] = groups[side] != group
            left_out.append(naive_kernel(real[kept[0]], fake[kept[1]], groups[0][kept[0]], groups[1][kept[1]]))
        count = len(left_out)
        variance = (count - 1) ** 2 / count * torch.stack(left_out).var()
        assert found.variances[side] == pytest.approx(float(variance), rel=1e-8)


def test_mean_with_a_group_for_each_clip_is_students() -> None:
    values = normal(12)
    found = estimate_mean(values, each(12))
    assert found.variances[0] == pytest.approx(float(values.var() / 12), rel=1e-12)
    assert found.half_width(0.9) == pytest.approx(student.ppf(0.95, 11) * float(values.var() / 12) ** 0.5, rel=1e-9)


def test_copies_of_clips_in_their_groups_add_no_certainty() -> None:
    values = normal(12)
    doubled = estimate_mean(values.repeat(2), each(12).repeat(2))
    assert doubled.half_width(0.95) == pytest.approx(estimate_mean(values, each(12)).half_width(0.95), rel=1e-12)


def test_no_variance_gives_no_width() -> None:
    assert Estimate(1.0, (0.0, 0.0), (5, 5)).half_width(0.95) == 0


def test_groups_are_dealt_whole_and_near_the_wanted_number() -> None:
    groups = group_numbers(["a"] * 3 + ["b"] * 5 + ["c"] * 4 + ["d"] * 4, 16)
    for seed in range(10):
        mask = deal_groups(groups, 8, torch.Generator().manual_seed(seed))
        assert all(mask[groups == number].unique().numel() == 1 for number in range(4))
        assert 5 <= mask.sum() <= 11
    assert deal_groups(groups, 16, torch.Generator()).sum() < 16


def test_each_clip_needs_a_group() -> None:
    with pytest.raises(ValueError, match=r"group of each of 3 clips, got 2"):
        group_numbers(["a", "b"], 3)
