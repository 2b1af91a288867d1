# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Distances to nearest neighbours in feature space, and the scores of fidelity, diversity and copying built on them.

Letters: N real (or training) clips, M synthetic ones, D features, k neighbours. All is computed in float64, in blocks
of rows, so that memory stays bounded whatever N and M are.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import torch
from torch import Tensor

from monai_feat.metrics.functional.rows import as_two_samples, row_blocks

__all__ = [
    "authenticity",
    "expected_coverage",
    "nearest_distances",
    "nearest_neighbour_ratio",
    "precision_recall_density_coverage",
]


def nearest_distances(a: Tensor, b: Tensor, k: int = 1, exclude_self: bool = False) -> tuple[Tensor, Tensor]:
    """Return the Euclidean distances from each row of `a` to its k nearest rows of `b`, and which rows these are.

    Neighbours are found by ``|x|² + |y|² - 2 x·y`` and their distances computed anew from differences, so that a copy
    lies at 0 and not at rounding.

    Args:
        a: ``(N, D)``.
        b: ``(M, D)``.
        k: neighbours of each row.
        exclude_self: `a` and `b` are the same rows, and no row is its own neighbour.

    Returns:
        Distances ``(N, k)``, nearest first, float64, and indices into `b` ``(N, k)``.

    Raises:
        ValueError: shapes disagree, values are not finite, or there are not k neighbours.

    Example:
        >>> import torch
        >>> nearest_distances(torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0], [3.0], [5.0]]), k=2)
        (tensor([[1., 3.],
            [0., 2.]], dtype=torch.float64), tensor([[0, 1],
            [2, 1]]))
    """
    a, b = as_two_samples(a, b, names=("features a", "features b"))
    if exclude_self and a.shape != b.shape:
        raise ValueError(f"exclude_self expects the same rows twice, got shapes {tuple(a.shape)} and {tuple(b.shape)}")
    if not 1 <= k <= len(b) - exclude_self:
        raise ValueError(f"expected 1 <= k <= {len(b) - exclude_self}, the rows to choose from, got k = {k}")
    values, indices = [], []
    for start, squared in _squared_distances(a, b):
        rows = torch.arange(len(squared), device=a.device)
        if exclude_self:
            squared[rows, rows + start] = torch.inf
        found = squared.topk(k, largest=False).indices  # (rows, k)
        exact = _exact_distances(a[start : start + len(rows)], b, found)
        exact, order = exact.sort(dim=1, stable=True)
        values.append(exact)
        indices.append(found.gather(1, order))
    return torch.cat(values), torch.cat(indices)


def precision_recall_density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> dict[str, Tensor]:
    """Return how much of each sample lies within reach of the other: precision, recall, density, coverage.

    Source: Kynkäänniemi et al. 2019 (precision, recall), Naeem et al. 2020 (density, coverage). A clip reaches as far
    as its k-th nearest neighbour on its own side.

    - precision: share of fakes that some real reaches; 1 is best, and one outlying real makes it 1 for many.
    - recall: share of reals that some fake reaches.
    - density: reals that reach a fake, on average, over k; about 1 for the same law, may exceed 1.
    - coverage: share of reals that reach a fake; for the same law see :func:`expected_coverage`.

    Args:
        real: ``(N, D)``.
        fake: ``(M, D)``.
        k: neighbours; both sides need more clips than that.

    Returns:
        Float64 scalars ``precision``, ``recall``, ``density``, ``coverage``.

    Raises:
        ValueError: shapes disagree, values are not finite, or a side has no more than k rows.

    Example:
        >>> import torch
        >>> real = torch.arange(10.0)[:, None]
        >>> scores = precision_recall_density_coverage(real, real[:5] + 0.1, k=3)
        >>> {name: round(value.item(), 2) for name, value in scores.items()}
        {'precision': 1.0, 'recall': 0.8, 'density': 1.33, 'coverage': 0.7}
    """
    real, fake = as_two_samples(real, fake)
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"expected more than k = {k} rows on each side, got {len(real)} real and {len(fake)} fake")
    reach_real = nearest_distances(real, real, k, exclude_self=True)[0][:, -1].square()  # (N,)
    reach_fake = nearest_distances(fake, fake, k, exclude_self=True)[0][:, -1].square()  # (M,)
    reached_by = []  # reals that reach each fake
    recalled = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    covering = recalled.clone()
    for start, squared in _squared_distances(fake, real):  # (rows, N)
        reaches = squared < reach_real
        reached_by.append(reaches.sum(dim=1))
        covering |= reaches.any(dim=0)
        recalled |= (squared < reach_fake[start : start + len(squared), None]).any(dim=0)
    counts = torch.cat(reached_by).double()  # (M,)
    return {
        "precision": (counts > 0).double().mean(),
        "recall": recalled.double().mean(),
        "density": counts.mean() / k,
        "coverage": covering.double().mean(),
    }


def expected_coverage(num_real: int, num_fake: int, k: int = 5) -> float:
    """Return the coverage to expect of two samples of one law, ``1 - ∏_{i<k} (N - 1 - i) / (N + M - 1 - i)``.

    Source: Naeem et al. 2020, lemma 2. It does not depend on the law: with it, coverage has a known best value.

    Args:
        num_real: N.
        num_fake: M.
        k: neighbours.

    Raises:
        ValueError: N is not above k, or M is below 1.

    Example:
        >>> round(expected_coverage(10_000, 10_000, k=5), 4)
        0.9688
    """
    if not 1 <= k < num_real or num_fake < 1:
        raise ValueError(f"expected 1 <= k < num_real and num_fake >= 1, got k = {k}, {num_real} and {num_fake}")
    return 1 - prod((num_real - 1 - i) / (num_real + num_fake - 1 - i) for i in range(k))


def authenticity(train: Tensor, fake: Tensor) -> Tensor:
    """Return the share of synthetic clips farther from their nearest training clip than that clip from any other one.

    Source: Alaa et al. 2022, section 3.3. For the same law about half or more; copies bring it down. It counts fakes in
    sparse regions as copies, and is a score of a whole sample, no test of one clip.

    Args:
        train: ``(N, D)``, at least two rows.
        fake: ``(M, D)``.

    Raises:
        ValueError: shapes disagree, values are not finite, or there are fewer than two training clips.

    Example:
        >>> import torch
        >>> train = torch.tensor([[0.0], [1.0], [2.0]])
        >>> authenticity(train, torch.tensor([[0.1], [3.5]]))  # near a clip whose own neighbour is 1 away; far from all
        tensor(0.5000, dtype=torch.float64)
    """
    nearest, index = nearest_distances(fake, train)  # (M, 1)
    within = nearest_distances(train, train, exclude_self=True)[0]  # (N, 1)
    return (nearest > within[index[:, 0]]).double().mean()


def nearest_neighbour_ratio(train: Tensor, fake: Tensor) -> Tensor:
    """Return, for each synthetic clip, its distance to the nearest training clip over that to the second nearest.

    Source: Yoon et al. 2023 and Gu et al. 2023, who call a sample memorised below 1/3; the test of Lowe 2004 for
    matches. A copy has a ratio near 0, anything else near 1. It is blind to copies of what is in the training set
    twice: take one clip of each video.

    Args:
        train: ``(N, D)``, at least two rows.
        fake: ``(M, D)``.

    Returns:
        ``(M,)`` in [0, 1], float64; 0 at distance 0, also where the second nearest lies at 0.

    Raises:
        ValueError: shapes disagree, values are not finite, or there are fewer than two training clips.

    Example:
        >>> import torch
        >>> nearest_neighbour_ratio(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.2], [3.0]]))
        tensor([0.2500, 0.6667], dtype=torch.float64)
    """
    nearest, second = nearest_distances(fake, train, k=2)[0].unbind(dim=1)
    return torch.where(nearest == 0, 0.0, nearest / second)


def _squared_distances(a: Tensor, b: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield first row and squared distances ``(rows, M)`` of blocks of rows of `a` to all of `b`."""
    centre = b.mean(dim=0)  # small norms: little is lost in the difference below
    a, b = a - centre, b - centre
    norms = b.square().sum(dim=1)  # (M,)
    for start, block in row_blocks(a, len(b)):
        own = block.square().sum(dim=1, keepdim=True)  # (rows, 1)
        yield start, torch.addmm(own + norms, block, b.T, alpha=-2).clamp_(min=0)


def _exact_distances(a: Tensor, b: Tensor, indices: Tensor) -> Tensor:
    """Return distances ``(N, k)`` of rows of `a` to the rows `indices` ``(N, k)`` of `b`, from differences."""
    return torch.stack([(a - b[column]).square().sum(dim=1).sqrt() for column in indices.unbind(dim=1)], dim=1)
