# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Moments that add up: those of the parts of a sample give those of the whole, however far it lies from zero.

A block of moments is one symmetric matrix, float64 ``(D + 1, D + 1)``, so that it can be one state of a metric::

    N    μᵀ
    μ    Σ (x − μ)(x − μ)ᵀ

Sums of x and of x xᵀ would add up too, but lose a covariance that is small beside the square of the mean: that of a
generator that has collapsed.

Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["mean_and_covariance", "merge_moments", "moments_of", "no_moments"]


def no_moments(num_features: int) -> Tensor:
    """Return the block of an empty sample, ``(D + 1, D + 1)`` zeros."""
    return torch.zeros(num_features + 1, num_features + 1, dtype=torch.float64)


def moments_of(features: Tensor) -> Tensor:
    """Return the block ``(D + 1, D + 1)`` of a sample ``(N, D)`` with N of at least 1."""
    features = features.double()
    mean = features.mean(dim=0)
    centred = features - mean  # (N, D)
    return _block(features.new_tensor(len(features)), mean, centred.T @ centred)


def merge_moments(blocks: Tensor) -> Tensor:
    """Return the block of all samples together.

    Args:
        blocks: ``(K, D + 1, D + 1)``, one for each sample; some may be empty.

    Example:
        >>> import torch
        >>> a, b = torch.randn(2, 8, 3)
        >>> merged = merge_moments(torch.stack([moments_of(a), moments_of(b)]))
        >>> torch.allclose(merged, moments_of(torch.cat([a, b])))
        True
    """
    counts, means, scatters = blocks[:, 0, 0], blocks[:, 0, 1:], blocks[:, 1:, 1:]  # (K,), (K, D), (K, D, D)
    total = counts.sum()
    mean = counts @ means / total.clamp(min=1)
    shifts = means - mean  # (K, D)
    return _block(total, mean, scatters.sum(dim=0) + (counts[:, None] * shifts).T @ shifts)


def mean_and_covariance(block: Tensor, correction: int) -> tuple[Tensor, Tensor]:
    """Return mean ``(D,)`` and covariance ``(D, D)`` of a block.

    Args:
        block: ``(D + 1, D + 1)``, of more than `correction` rows.
        correction: the covariance is divided by N − correction.
    """
    return block[0, 1:], block[1:, 1:] / (block[0, 0] - correction)


def _block(count: Tensor, mean: Tensor, scatter: Tensor) -> Tensor:
    block = torch.empty(len(mean) + 1, len(mean) + 1, dtype=torch.float64, device=mean.device)
    block[0, 0] = count
    block[0, 1:] = block[1:, 0] = mean
    block[1:, 1:] = (scatter + scatter.T) / 2  # a product of matrices is symmetric up to rounding only
    return block
