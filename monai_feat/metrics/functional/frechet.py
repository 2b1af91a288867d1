# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Fréchet distance of feature vectors: exact, its floor between samples of one law, extrapolated to infinite samples.

Letters: N clips, D features, Σ a covariance ``(D, D)``, λ its eigenvalues. All is computed in float64.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

from monai_feat.metrics.functional.moments import mean_and_covariance, moments_of
from monai_feat.metrics.functional.rows import as_features, as_two_samples

__all__ = [
    "feature_moments",
    "frechet_distance",
    "frechet_distance_from_features",
    "frechet_floor",
    "frechet_infinite",
    "frechet_is_meaningful",
]

MIN_CLIPS_PER_FEATURE = 1.3


def feature_moments(features: Tensor, correction: int = 1) -> tuple[Tensor, Tensor]:
    """Return mean ``(D,)`` and covariance ``(D, D)`` of features, in float64.

    Args:
        features: ``(N, D)``.
        correction: the covariance is divided by N - correction: 1 for an unbiased one, 0 as StyleGAN-V's FVD has it.

    Raises:
        ValueError: there are not two dimensions, fewer than two rows, or values that are not finite.

    Example:
        >>> import torch
        >>> feature_moments(torch.tensor([[0.0], [2.0]]), correction=0)
        (tensor([1.], dtype=torch.float64), tensor([[1.]], dtype=torch.float64))
    """
    return mean_and_covariance(moments_of(as_features(features, "features", at_least=2)), correction)


def frechet_distance(mean_real: Tensor, cov_real: Tensor, mean_fake: Tensor, cov_fake: Tensor) -> Tensor:
    """Return the Fréchet distance between two Gaussians: ``|μ - ν|² + tr(A + B - 2 (A B)^½)``, a scalar.

    Source: Dowson & Landau 1982, as used by Heusel et al. 2017 (FID) and Unterthiner et al. 2018 (FVD). With A = R Rᵀ
    and B = S Sᵀ the trace of ``(A B)^½`` is the sum of the singular values of ``Rᵀ S``: no root of a matrix that is not
    symmetric, no offset on its diagonal, no imaginary part to drop, and exact where covariances are rank-deficient.

    Args:
        mean_real: μ, ``(D,)``.
        cov_real: A, ``(D, D)``.
        mean_fake: ν, ``(D,)``.
        cov_fake: B, ``(D, D)``.

    Returns:
        Float64 scalar, at least 0. Inputs in single precision are promoted, but what they lost before stays lost:
        compute moments in float64.

    Raises:
        ValueError: shapes disagree, values are not finite, or a covariance is not symmetric or has negative
            eigenvalues.

    Example:
        >>> import torch
        >>> one = torch.eye(3)
        >>> frechet_distance(torch.zeros(3), one, torch.ones(3), 4 * one)  # 3 + tr(1 + 4 - 2 * 2)
        tensor(6., dtype=torch.float64)
    """
    if mean_real.shape != mean_fake.shape:
        shapes = f"{tuple(mean_real.shape)} and {tuple(mean_fake.shape)}"
        raise ValueError(f"expected means (D,) of the same D on both sides, got shapes {shapes}")
    root_real = _covariance_root(*_eigen(mean_real, cov_real, "real"))  # (rank, D)
    root_fake = _covariance_root(*_eigen(mean_fake, cov_fake, "fake"))
    return _distance(mean_real.double() - mean_fake.double(), root_real, root_fake)


def frechet_distance_from_features(real: Tensor, fake: Tensor, correction: int = 1) -> Tensor:
    """Return the Fréchet distance between two samples, the same as that of their moments, a float64 scalar.

    No covariance is needed: the centred and scaled features X, with A = Xᵀ X, take the place of the root of A in
    :func:`frechet_distance`, reduced to a triangle by QR where there are more clips than features.

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.
        correction: covariances are divided by N - correction, see :func:`feature_moments`.

    Raises:
        ValueError: either side has not two dimensions, fewer than two rows, values that are not finite, or another D.

    Example:
        >>> import torch
        >>> real = torch.tensor([[0.0], [2.0]])
        >>> frechet_distance_from_features(real, 2 * real + 3, correction=0)  # (1 - 5)² + (1 - 2)²
        tensor(17., dtype=torch.float64)
    """
    real, fake = as_two_samples(real, fake, at_least=2)
    return _distance(real.mean(dim=0) - fake.mean(dim=0), _scaled(real, correction), _scaled(fake, correction))


def frechet_floor(cov: Tensor, num_a: int, num_b: int) -> Tensor:
    """Return the Fréchet distance to expect between two samples of one Gaussian law, to first order in 1/N, a scalar.

    ``(1/N + 1/M) [tr Σ + ½ Σᵢⱼ λᵢ λⱼ (1 + δᵢⱼ) / (λᵢ + λⱼ)]``, by second-order perturbation of the trace of the root
    with Wishart covariances. Below N = D the distance is not linear in 1/N: the formula is too high, by half at D/4.

    Args:
        cov: Σ, ``(D, D)``, of the law; the covariance of the larger sample will do.
        num_a: N, clips on one side.
        num_b: M, clips on the other.

    Raises:
        ValueError: fewer than two clips on a side, or no covariance (see :func:`frechet_distance`).

    Example:
        >>> import torch
        >>> round(frechet_floor(torch.eye(400), 2048, 2048).item(), 2)
        39.55
    """
    if min(num_a, num_b) < 2:
        raise ValueError(f"expected at least two clips on each side, got {num_a} and {num_b}")
    values = _eigen(cov.new_zeros(len(cov)), cov, "common")[0]  # λ > 0: (rank,)
    pairs = values[:, None] * values / (values[:, None] + values)  # λᵢ λⱼ / (λᵢ + λⱼ)
    bracket: Tensor = values.sum() + (pairs.sum() + pairs.trace()) / 2
    return (1 / num_a + 1 / num_b) * bracket


def frechet_infinite(
    real: Tensor, fake: Tensor, num_subsets: int = 15, smallest: float = 0.5, correction: int = 1, seed: int = 0
) -> Tensor:
    """Return the Fréchet distance extrapolated to infinitely many clips on both sides, a float64 scalar.

    Chong & Forsyth 2020 (FID∞) fit a line in 1/N through distances of random subsets and read it at 1/N = 0. They
    shrink one side and take the other for exact; here both shrink by the same share f, so that the bias is c/f and that
    of both sides vanishes together, whatever N and M are. What is left is noise, so that it may be negative, and
    curvature in 1/N, where the smallest subset is below D: of the bias of two samples of one law a tenth remains at
    N = 1.3 D, a fiftieth at 2 D (halves, D = 40, simulated).

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.
        num_subsets: points on the line.
        smallest: share of the clips in the smallest subset; shares are spaced evenly in 1/f from 1 to 1/smallest.
        correction: covariances are divided by N - correction.
        seed: draws the subsets.

    Raises:
        ValueError: fewer than two points, a share outside (0, 1), subsets under two clips, or unusable features.

    Example:
        >>> import torch
        >>> real, fake = torch.randn(2, 500, 4, generator=torch.Generator().manual_seed(0))
        >>> bool(frechet_infinite(real, fake).abs() < frechet_distance_from_features(real, fake))
        True
    """
    real, fake = as_two_samples(real, fake, at_least=2)
    if num_subsets < 2 or not 0 < smallest < 1:
        raise ValueError(f"expected num_subsets >= 2 and 0 < smallest < 1, got {num_subsets} and {smallest}")
    if smallest * min(len(real), len(fake)) < 2:
        raise ValueError(f"{smallest:g} of {len(real)} real and {len(fake)} fake clips is fewer than two; add clips")
    generator = torch.Generator().manual_seed(seed)
    inverse = torch.linspace(1, 1 / smallest, num_subsets, dtype=torch.float64)  # 1/f
    distances = torch.stack(
        [
            frechet_distance_from_features(_subset(real, f, generator), _subset(fake, f, generator), correction).cpu()
            for f in (1 / inverse).tolist()
        ]
    )
    slope = (inverse - inverse.mean()) @ distances / (inverse - inverse.mean()).square().sum()
    return (distances.mean() - slope * inverse.mean()).to(real.device)


def frechet_is_meaningful(num_real: int, num_fake: int, num_features: int) -> bool:
    """Return whether there are enough clips to read a Fréchet distance: 1.3 for each feature, on both sides.

    With fewer, most of the number is the floor between two samples of one law, and it is no longer linear in 1/N.

    Example:
        >>> frechet_is_meaningful(num_real=210, num_fake=2048, num_features=400)
        False
    """
    return min(num_real, num_fake) >= MIN_CLIPS_PER_FEATURE * num_features


def _distance(shift: Tensor, root_real: Tensor, root_fake: Tensor) -> Tensor:
    """Return the distance of laws whose means differ by `shift`, of covariances ``Hᵀ H`` for both roots H."""
    traces = root_real.square().sum() + root_fake.square().sum()  # tr A + tr B
    overlap = torch.linalg.svdvals(root_real @ root_fake.T).sum()  # tr (A B)^½
    distance: Tensor = (shift.square().sum() + traces - 2 * overlap).clamp(min=0)  # rounding may take 0 below 0
    return distance


def _subset(features: Tensor, share: float, generator: torch.Generator) -> Tensor:
    order = torch.randperm(len(features), generator=generator)
    return features[order[: round(share * len(features))].to(features.device)]


def _scaled(features: Tensor, correction: int) -> Tensor:
    """Return a root of the covariance of features, with no more than D rows."""
    scaled = (features - features.mean(dim=0)) / sqrt(len(features) - correction)
    if len(scaled) <= scaled.shape[1]:
        return scaled
    triangle: Tensor = torch.linalg.qr(scaled, mode="r")[1]
    return triangle


def _covariance_root(values: Tensor, vectors: Tensor) -> Tensor:
    return (vectors * values.sqrt()).T  # (rank, D)


def _eigen(mean: Tensor, cov: Tensor, side: str) -> tuple[Tensor, Tensor]:
    """Return the positive eigenvalues ``(rank,)`` and their vectors ``(D, rank)``, in float64."""
    tolerance = _check_moments(mean, cov, side)
    cov = cov.double()
    values, vectors = torch.linalg.eigh((cov + cov.T) / 2)
    if values[0] < -tolerance:
        raise ValueError(
            f"the {side} covariance has the eigenvalue {values[0]:.3g}, expected none below 0: compute it by "
            "feature_moments"
        )
    kept = values > len(values) * torch.finfo(values.dtype).eps * values[-1]  # what is above rounding
    return values[kept], vectors[:, kept]


def _check_moments(mean: Tensor, cov: Tensor, side: str) -> float:
    """Return the error to allow for in the elements of a covariance, by the precision that it came in."""
    if mean.ndim != 1 or cov.shape != (len(mean), len(mean)):
        raise ValueError(
            f"expected the {side} mean (D,) and covariance (D, D), got {tuple(mean.shape)} and {tuple(cov.shape)}"
        )
    if not (torch.isfinite(mean).all() and torch.isfinite(cov).all()):
        raise ValueError(f"the {side} mean or covariance holds NaN or infinite values; look at the features behind it")
    tolerance = float(torch.finfo(cov.dtype).eps ** 0.5 * cov.abs().amax())
    if (cov - cov.T).abs().amax() > tolerance:
        raise ValueError(f"the {side} covariance is not symmetric, as a covariance is: compute it by feature_moments")
    return tolerance
