# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import scipy.linalg
import torch
from torch import Tensor
from torchmetrics.image.fid import _compute_fid

from monai_feat.metrics.functional import (
    feature_moments,
    frechet_distance,
    frechet_distance_from_features,
    frechet_floor,
    frechet_infinite,
    frechet_is_meaningful,
)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def rotation(size: int) -> Tensor:
    return torch.linalg.qr(normal(size, size)).Q


def covariance(values: Tensor, vectors: Tensor) -> Tensor:
    product = vectors @ torch.diag(values) @ vectors.T
    return (product + product.T) / 2


def sample_with_moments(num: int, mean: Tensor, cov: Tensor) -> Tensor:
    """Return features whose own mean and covariance (divided by num - 1) are these, to rounding."""
    white = normal(num, len(mean))
    white = white - white.mean(0)
    white = white @ torch.linalg.inv(torch.linalg.cholesky(white.T @ white / (num - 1))).T
    return white @ torch.linalg.cholesky(cov).T + mean


@pytest.mark.parametrize("condition", [1, 1e3, 1e7])
def test_commuting_covariances_have_a_closed_form(condition: float) -> None:
    size, vectors = 40, rotation(40)
    a = torch.logspace(0, -torch.tensor(condition).log10().item(), size, dtype=torch.float64)
    for b in (2 * a, a.flip(0), torch.ones_like(a)):
        shift = normal(size)
        found = frechet_distance(shift, covariance(a, vectors), torch.zeros_like(shift), covariance(b, vectors))
        wanted = shift.square().sum() + (a.sqrt() - b.sqrt()).square().sum()
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


def test_two_by_two_covariances_have_a_closed_form() -> None:
    for _ in range(20):
        a, b = normal(2, 2), normal(2, 2)
        a, b = a @ a.T, b @ b.T
        root = (torch.trace(a @ b) + 2 * (a.det() * b.det()).sqrt()).sqrt()  # tr √(AB) = √(tr AB + 2 √det AB)
        found = frechet_distance(torch.zeros(2), a, torch.zeros(2), b)
        torch.testing.assert_close(found, a.trace() + b.trace() - 2 * root, rtol=0, atol=1e-10)


def test_samples_with_exact_moments_have_the_distance_of_their_law() -> None:
    size, vectors = 12, rotation(12)
    a, b = torch.rand(size, dtype=torch.float64) + 0.1, torch.rand(size, dtype=torch.float64) + 0.1
    real = sample_with_moments(60, normal(size), covariance(a, vectors))
    fake = sample_with_moments(90, real.mean(0) + 1, covariance(b, vectors))
    wanted = size + (a.sqrt() - b.sqrt()).square().sum()
    torch.testing.assert_close(frechet_distance_from_features(real, fake), wanted, rtol=0, atol=1e-10)


def test_it_agrees_with_scipy_and_torchmetrics() -> None:
    real, fake = normal(200, 30) @ normal(30, 30), normal(150, 30) @ normal(30, 30) + 1
    moments = (*feature_moments(real), *feature_moments(fake))
    found = frechet_distance(*moments)
    root = scipy.linalg.sqrtm((moments[1] @ moments[3]).numpy()).real.trace()
    by_scipy = (moments[0] - moments[2]).square().sum() + moments[1].trace() + moments[3].trace() - 2 * root
    torch.testing.assert_close(found, by_scipy, rtol=1e-10, atol=0)
    torch.testing.assert_close(found, _compute_fid(*moments), rtol=1e-10, atol=0)


@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize(("num_real", "num_fake"), [(10, 12), (10, 90), (90, 10), (30, 30), (31, 90), (2, 2)])
def test_features_and_moments_give_the_same(num_real: int, num_fake: int, correction: int) -> None:
    scale = torch.logspace(0, -3, 30, dtype=torch.float64)
    real, fake = normal(num_real, 30) * scale + 2, normal(num_fake, 30) * scale
    found = frechet_distance_from_features(real, fake, correction)
    wanted = frechet_distance(*feature_moments(real, correction), *feature_moments(fake, correction))
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


def test_it_is_symmetric_and_zero_for_the_same_moments() -> None:
    real, fake = normal(50, 8), normal(40, 8) + 1
    there, back = frechet_distance_from_features(real, fake), frechet_distance_from_features(fake, real)
    torch.testing.assert_close(there, back, rtol=1e-12, atol=0)
    assert 0 <= frechet_distance_from_features(real, real.flip(0)) < 1e-12


def test_constant_features_are_points() -> None:
    found = frechet_distance_from_features(torch.zeros(4, 3), torch.full((5, 3), 2.0))
    assert found == 12
    assert frechet_distance(*feature_moments(torch.zeros(4, 3)), *feature_moments(torch.full((5, 3), 2.0))) == 12


def test_single_precision_is_promoted() -> None:
    real, fake = normal(80, 6).float(), normal(80, 6).float()
    found = frechet_distance_from_features(real, fake)
    assert found.dtype == torch.float64
    assert found == frechet_distance_from_features(real.double(), fake.double())
    rounded = [moment.float() for side in (real, fake) for moment in feature_moments(side)]
    torch.testing.assert_close(frechet_distance(*rounded), found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (dict(mean_fake=torch.zeros(4)), "same D on both sides"),
        (dict(cov_fake=torch.eye(2)), r"fake mean \(D,\) and covariance \(D, D\), got \(3,\) and \(2, 2\)"),
        (dict(mean_real=torch.tensor([0, 0, torch.nan])), "real mean or covariance holds NaN"),
        (dict(cov_real=torch.full((3, 3), torch.inf)), "real mean or covariance holds NaN or infinite"),
        (dict(cov_fake=torch.eye(3) + torch.ones(3, 3).triu()), "fake covariance is not symmetric"),
        (
            dict(cov_real=torch.diag(torch.tensor([1.0, 1.0, -0.1]))),
            "real covariance has the eigenvalue -0.1,",
        ),
        (dict(cov_fake=-torch.eye(3)), "fake covariance has the eigenvalue -1,"),
    ],
)
def test_what_are_no_moments_is_refused_in_one_line(change: dict[str, Tensor], complaint: str) -> None:
    moments = dict(mean_real=torch.zeros(3), cov_real=torch.eye(3), mean_fake=torch.zeros(3), cov_fake=torch.eye(3))
    with pytest.raises(ValueError, match=complaint) as caught:
        frechet_distance(**{**moments, **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("real", "fake", "complaint"),
    [
        (torch.zeros(1, 3), torch.zeros(5, 3), "at least 2 rows of real features, got 1"),
        (torch.zeros(5, 3), torch.zeros(0, 3), "at least 2 rows of fake features, got 0"),
        (torch.zeros(5, 3, 2), torch.zeros(5, 3), r"real features \(N, D\), got shape \(5, 3, 2\)"),
        (torch.zeros(5, 3), torch.full((5, 3), torch.nan), "fake features hold NaN"),
        (torch.zeros(5, 3), torch.zeros(5, 4), "same D on both sides, got 3 in real features and 4"),
    ],
)
def test_unusable_features_are_refused(real: Tensor, fake: Tensor, complaint: str) -> None:
    for function in (frechet_distance_from_features, frechet_infinite):
        with pytest.raises(ValueError, match=complaint):
            function(real, fake)


def test_the_floor_is_the_published_prediction() -> None:
    assert frechet_floor(torch.eye(400), 2048, 2048).item() == pytest.approx(39.55, abs=0.005)
    assert frechet_floor(2 * torch.eye(5), 10, 40) == pytest.approx(2 * frechet_floor(torch.eye(5), 40, 10).item())


def test_the_floor_is_what_simulation_finds() -> None:
    scale = torch.logspace(0, -1.5, 12, dtype=torch.float64)
    found = torch.stack(
        [frechet_distance_from_features(normal(300, 12) * scale, normal(500, 12) * scale) for _ in range(400)]
    )
    predicted = frechet_floor(torch.diag(scale.square()), 300, 500)
    assert abs(found.mean() / predicted - 1) < 0.05
    assert found.std() / 20 < 0.02 * predicted, "too few repetitions to tell"


def test_a_floor_needs_two_clips_on_each_side() -> None:
    with pytest.raises(ValueError, match="two clips on each side, got 1 and 5"):
        frechet_floor(torch.eye(3), 1, 5)


def test_extrapolation_removes_most_of_the_bias() -> None:
    plain, infinite = [], []
    for _ in range(20):
        real, fake = normal(200, 10), normal(120, 10)
        plain.append(frechet_distance_from_features(real, fake))
        infinite.append(frechet_infinite(real, fake))
    floor = frechet_floor(torch.eye(10), 200, 120)
    assert torch.stack(plain).mean() > 0.9 * floor
    assert torch.stack(infinite).mean().abs() < 0.2 * floor


def test_extrapolation_finds_a_true_distance() -> None:
    found = torch.stack([frechet_infinite(normal(300, 5), 2 * normal(300, 5) + 1) for _ in range(10)])
    assert found.mean() == pytest.approx(10, rel=0.05)  # 5 · 1² + 5 · (2 - 1)²


def test_extrapolation_is_seeded() -> None:
    real, fake = normal(60, 4), normal(50, 4)
    assert frechet_infinite(real, fake) == frechet_infinite(real, fake)
    assert frechet_infinite(real, fake) != frechet_infinite(real, fake, seed=1)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (dict(num_subsets=1), "num_subsets >= 2"),
        (dict(smallest=1.0), "0 < smallest < 1"),
        (dict(smallest=0.1), "0.1 of 10 real and 10 fake clips is fewer than two"),
    ],
)
def test_extrapolation_needs_a_line(options: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        frechet_infinite(normal(10, 3), normal(10, 3), **options)  # type: ignore[arg-type]


def test_enough_clips_are_asked_for_on_both_sides() -> None:
    assert frechet_is_meaningful(520, 520, 400)
    assert not frechet_is_meaningful(519, 2048, 400)
    assert not frechet_is_meaningful(2048, 519, 400)
