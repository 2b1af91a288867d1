# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Distances with their variance, where clips come in groups and only groups are independent.

Letters: N real and M synthetic clips, D features, G groups on a side, n a group's clips. All is computed in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from scipy.stats import t as student
from torch import Tensor

from monai_feat.metrics.functional import frechet_distance_from_features
from monai_feat.metrics.functional.rows import row_blocks

__all__ = [
    "Estimate",
    "deal_groups",
    "effective_groups",
    "estimate_frechet",
    "estimate_infinite_frechet",
    "estimate_kernel",
    "estimate_mean",
    "group_numbers",
]


@dataclass(frozen=True)
class Estimate:
    """A number and the variances that its independent sides give it.

    Attributes:
        value: the estimate.
        variances: one for each side.
        groups: independent groups behind each of them.
    """

    value: float
    variances: tuple[float, ...]
    groups: tuple[int, ...]

    def half_width(self, level: float) -> float:
        """Return half the width of the t interval, with the degrees of freedom of Welch and Satterthwaite (1946)."""
        variance = sum(self.variances)
        if variance <= 0:
            return 0.0
        squares = (v**2 / (g - 1) for v, g in zip(self.variances, self.groups, strict=True))
        degrees = variance**2 / sum(squares)
        return float(student.ppf((1 + level) / 2, degrees)) * math.sqrt(variance)


def group_numbers(groups: Sequence[str], count: int) -> Tensor:
    """Return the group of each clip as a number from 0, in order of appearance, ``(N,)``.

    Raises:
        ValueError: there is not one name for each of `count` clips.
    """
    if len(groups) != count:
        raise ValueError(f"expected the group of each of {count} clips, got {len(groups)}; name a group for every clip")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    return torch.tensor([numbers[name] for name in groups], dtype=torch.long)


def effective_groups(groups: Tensor) -> float:
    """Return how many groups of equal size would vary as much: ``(Σ n)² / Σ n²`` of the clips n of each.

    Source: Kish 1965, "Survey sampling", section 11.7.

    Args:
        groups: ``(N,)``, see :func:`group_numbers`.

    Example:
        >>> import torch
        >>> round(effective_groups(torch.tensor([0] * 26 + [1] * 17 + [2] * 3 + [3] * 2)), 2)
        2.36
    """
    sizes = torch.bincount(groups).double()
    return float(sizes.sum().square() / sizes.square().sum())


def deal_groups(groups: Tensor, wanted: int, generator: torch.Generator) -> Tensor:
    """Return a mask ``(N,)`` of whole groups, drawn at random, that together hold about `wanted` clips.

    At least one group is taken and at least one is left.
    """
    sizes = torch.bincount(groups)
    order = torch.randperm(len(sizes), generator=generator)
    filled = sizes[order].cumsum(0)
    taken = int((filled - wanted).abs().argmin()) + 1
    return torch.isin(groups, order[: min(taken, len(sizes) - 1)])


def estimate_mean(values: Tensor, groups: Tensor) -> Estimate:
    """Return the mean over clips with its cluster-robust variance (Liang & Zeger 1986, times G / (G - 1)).

    Args:
        values: ``(N,)``.
        groups: ``(N,)``, see :func:`group_numbers`.
    """
    count = int(groups.max()) + 1
    return Estimate(float(values.mean()), (_group_variance(values - values.mean(), groups, count),), (count,))


def estimate_frechet(
    real: Tensor, fake: Tensor, real_groups: Tensor, fake_groups: Tensor, correction: int = 1
) -> Estimate:
    """Return the Fréchet distance of two samples with its infinitesimal-jackknife variance over groups.

    The derivative of the distance in the weight of a real clip x is ``2 (μ - ν)·x + xᵀ (I - T) x`` less its mean, x and
    y centred, where T carries the real Gaussian to the synthetic one: of the squared 2-Wasserstein distance of
    Gaussians, ``∂/∂A = I - T`` (Takatsu 2011). It holds for rank-deficient covariances too: xᵀ T x is then the
    derivative of the nuclear norm of the product of both samples. The variance is that of groups' sums (Jaeckel 1972).

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.
        real_groups: ``(N,)``, see :func:`group_numbers`.
        fake_groups: ``(M,)``.
        correction: covariances are divided by N - correction.
    """
    shift = real.mean(dim=0) - fake.mean(dim=0)
    real, fake = real - real.mean(dim=0), fake - fake.mean(dim=0)
    white_real, root_real = _whiten(real, correction)  # (N, rank), (D, rank)
    white_fake, root_fake = _whiten(fake, correction)
    left, singular, right = torch.linalg.svd(root_real.T @ root_fake, full_matrices=False)  # |root| = tr (A B)^½
    value = shift.square().sum() + root_real.square().sum() + root_fake.square().sum() - 2 * singular.sum()
    moves_real = 2 * real @ shift + real.square().sum(dim=1) - (white_real @ left).square() @ singular  # (N,)
    moves_fake = -2 * fake @ shift + fake.square().sum(dim=1) - (white_fake @ right.T).square() @ singular  # (M,)
    groups = int(real_groups.max()) + 1, int(fake_groups.max()) + 1
    variances = (
        _group_variance(moves_real - moves_real.mean(), real_groups, groups[0]),
        _group_variance(moves_fake - moves_fake.mean(), fake_groups, groups[1]),
    )
    return Estimate(max(float(value), 0.0), variances, groups)


def estimate_infinite_frechet(
    real: Tensor, fake: Tensor, real_groups: Tensor, fake_groups: Tensor, correction: int = 1, seed: int = 0
) -> Estimate:
    """Return the Fréchet distance without its bias of first order in 1/N, and the variance of the biased one.

    Twice the distance of all clips less the mean distance of halves of the groups of both sides, both halves of two
    draws: as in FID∞ (Chong & Forsyth 2020), at two points on the line. Extrapolation adds variance of second order,
    which the jackknife's excess of the same order covers in simulation.
    """
    full = estimate_frechet(real, fake, real_groups, fake_groups, correction)
    generator = torch.Generator().manual_seed(seed)
    halves = []
    for _ in range(2):
        a = deal_groups(real_groups, len(real) // 2, generator)
        b = deal_groups(fake_groups, len(fake) // 2, generator)
        halves += [float(frechet_distance_from_features(real[x], fake[y], correction)) for x, y in ((a, b), (~a, ~b))]
    return Estimate(2 * full.value - sum(halves) / len(halves), full.variances, full.groups)


def estimate_kernel(real: Tensor, fake: Tensor, real_groups: Tensor, fake_groups: Tensor) -> Estimate:
    """Return the MMD² of kernel ``(x·y/D + 1)³`` over pairs of different groups, with its delete-a-group variance.

    KID's U-statistic (Bińkowski et al. 2018) takes all pairs of different clips. Clips of one group are alike, so that
    these pairs raise it; without them it is unbiased where groups are independent. The jackknife is exact: each group
    is left out by subtraction. Where the two laws agree the statistic is degenerate, and the jackknife counts variance
    of the second order twice (Efron & Stein 1981): on the safe side.

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.
        real_groups: ``(N,)``, see :func:`group_numbers`.
        fake_groups: ``(M,)``.
    """
    within_real, without_real = _mean_between_groups(real, real_groups)  # scalar, (G,)
    within_fake, without_fake = _mean_between_groups(fake, fake_groups)
    across, across_real, across_fake = _mean_across(real, fake, real_groups, fake_groups)
    left_out_real = without_real + within_fake - 2 * across_real  # (G,): the estimate without each real group
    left_out_fake = within_real + without_fake - 2 * across_fake
    return Estimate(
        float(within_real + within_fake - 2 * across),
        (_jackknife_variance(left_out_real), _jackknife_variance(left_out_fake)),
        (len(without_real), len(without_fake)),
    )


def _whiten(centred: Tensor, correction: int) -> tuple[Tensor, Tensor]:
    """Return rows of unit covariance ``(N, rank)`` and the root ``(D, rank)`` that makes them the centred features."""
    scale = math.sqrt(len(centred) - correction)
    is_wide = len(centred) <= centred.shape[1]
    gram = centred @ centred.T if is_wide else centred.T @ centred
    values, vectors = torch.linalg.eigh(gram)
    kept = values > values[-1] * len(values) * torch.finfo(values.dtype).eps
    lengths, vectors = values[kept].sqrt(), vectors[:, kept]
    if is_wide:
        return vectors * scale, centred.T @ vectors / scale
    return centred @ (vectors / lengths) * scale, vectors * lengths / scale


def _group_variance(moves: Tensor, groups: Tensor, count: int) -> float:
    """Return the variance of the mean of `moves` ``(N,)``, whose sums over groups are independent."""
    sums = moves.new_zeros(count).index_add_(0, groups, moves) / len(moves)
    return float(count / (count - 1) * sums.square().sum())


def _jackknife_variance(left_out: Tensor) -> float:
    count = len(left_out)
    return float((count - 1) / count * (left_out - left_out.mean()).square().sum())


def _mean_between_groups(features: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean kernel value of pairs of different groups, and the same without each of the groups."""
    sums = features.new_zeros(int(groups.max()) + 1)
    for rows, numbers in _blocks(features, groups, len(features)):
        kernel = _kernel(rows, features).masked_fill(numbers[:, None] == groups, 0)  # (rows, N)
        sums.index_add_(0, numbers, kernel.sum(dim=1))
    sizes = torch.bincount(groups).to(features)
    pairs = sizes * (len(groups) - sizes)
    return sums.sum() / pairs.sum(), (sums.sum() - 2 * sums) / (pairs.sum() - 2 * pairs)


def _mean_across(real: Tensor, fake: Tensor, real_groups: Tensor, fake_groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean kernel value across sides, without each real group, and without each synthetic group."""
    sums_real = real.new_zeros(int(real_groups.max()) + 1)
    columns = fake.new_zeros(len(fake))
    for rows, numbers in _blocks(real, real_groups, len(fake)):
        kernel = _kernel(rows, fake)  # (rows, M)
        sums_real.index_add_(0, numbers, kernel.sum(dim=1))
        columns += kernel.sum(dim=0)
    sums_fake = fake.new_zeros(int(fake_groups.max()) + 1).index_add_(0, fake_groups, columns)
    total = columns.sum()
    left_real = len(real) - torch.bincount(real_groups)
    left_fake = len(fake) - torch.bincount(fake_groups)
    return (
        total / (len(real) * len(fake)),
        (total - sums_real) / (left_real * len(fake)),
        (total - sums_fake) / (left_fake * len(real)),
    )


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _blocks(features: Tensor, groups: Tensor, num_columns: int) -> Iterator[tuple[Tensor, Tensor]]:
    for start, rows in row_blocks(features, num_columns):
        yield rows, groups[start : start + len(rows)]
