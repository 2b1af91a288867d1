# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Kernel distance of feature vectors: the unbiased MMD² of KID, and what an interval around it needs."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from monai_feat.metrics.functional.rows import as_two_samples, row_blocks

__all__ = ["KernelTerms", "kernel_distance", "kernel_distance_terms"]


class KernelTerms(NamedTuple):
    """A kernel distance, and how much each clip moves it.

    Attributes:
        value: the distance, a scalar.
        terms_real: first-order projection of each real clip, ``(N,)``, of mean 0.
        terms_fake: of each synthetic clip, ``(M,)``, of mean 0.
    """

    value: Tensor
    terms_real: Tensor
    terms_fake: Tensor


def kernel_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Return the unbiased squared maximum mean discrepancy under the kernel ``(x·y/D + 1)³``, a float64 scalar.

    Source: Bińkowski et al. 2018 (KID), who average it over subsets; here every pair of clips enters once, which has
    the same expectation and less variance. It expects 0 for the same law at any N, and so may be negative; unlike a
    Fréchet distance it can be read at N below D. Time grows as ``(N + M)² D``, memory does not.

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.

    Raises:
        ValueError: either side has not two dimensions, fewer than two rows, values that are not finite, or another D.

    Example:
        >>> import torch
        >>> real = torch.tensor([[0.0], [1.0]])
        >>> kernel_distance(real, real + 1)  # 1 + (1 * 2 + 1)**3 - 2 * (1 + 1 + 2**3 + 3**3) / 4
        tensor(9.5000, dtype=torch.float64)
    """
    return kernel_distance_terms(real, fake).value


def kernel_distance_terms(real: Tensor, fake: Tensor) -> KernelTerms:
    """Return :func:`kernel_distance` with its first-order (Hájek) projections onto single clips.

    For a real clip x the projection is ``2 (E k(x, X) - E k(x, Y))`` less its mean, over the other clips of the sample,
    and the same with sides exchanged for a synthetic one. Source: Hoeffding 1948; Sutherland et al. 2017 for MMD. The
    distance varies as the mean of `terms_real` plus that of `terms_fake` do; grouped by video or patient these give the
    clustered variance. They vanish as the two laws become one, where the second order rules.

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.

    Raises:
        ValueError: as :func:`kernel_distance`.

    Example:
        >>> import torch
        >>> value, terms_real, terms_fake = kernel_distance_terms(torch.randn(8, 3), torch.randn(6, 3) + 1)
        >>> error = (terms_real.var() / 8 + terms_fake.var() / 6).sqrt()
    """
    real, fake = as_two_samples(real, fake, at_least=2)
    within_real, within_fake = _mean_to_others(real), _mean_to_others(fake)  # (N,), (M,)
    across_real, across_fake = _mean_across(real, fake)  # (N,), (M,)
    value = within_real.mean() + within_fake.mean() - 2 * across_real.mean()
    return KernelTerms(value, _projection(within_real, across_real), _projection(within_fake, across_fake))


def _projection(within: Tensor, across: Tensor) -> Tensor:
    difference = 2 * (within - across)
    return difference - difference.mean()


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mean_to_others(features: Tensor) -> Tensor:
    """Return the mean kernel value ``(N,)`` of each row with all other rows."""
    sums, _ = _kernel_sums(features, features)
    own = (features.square().mean(dim=1) + 1) ** 3  # k(x, x)
    return (sums - own) / (len(features) - 1)


def _mean_across(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    sums_a, sums_b = _kernel_sums(a, b)
    return sums_a / len(b), sums_b / len(a)


def _kernel_sums(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sums over rows of `b` for each row of `a` ``(N,)``, and over rows of `a` for each of `b` ``(M,)``."""
    rows, columns = [], torch.zeros_like(b[:, 0])
    for _, block in row_blocks(a, len(b)):
        kernel = _kernel(block, b)  # (rows, M)
        rows.append(kernel.sum(dim=1))
        columns += kernel.sum(dim=0)
    return torch.cat(rows), columns
