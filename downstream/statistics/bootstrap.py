# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The hierarchical bootstrap over folds, patients and seeds: shown beside the t interval, which decides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .differences import Floats

__all__ = ["bootstrap_interval"]


def bootstrap_interval(
    values: Sequence[Floats], level: float = 0.95, replicates: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Draw folds, then patients and seeds within each, with replacement; return percentiles of the mean.

    Percentiles of a few folds hold the truth less often than they say; docs/downstream_statistics.md says how often.

    Args:
        values: of each fold, ``(n, S)``, as in `Differences`.
        level: confidence, in (0, 1).
        replicates: bootstrap samples.
        seed: draws them.

    Raises:
        ValueError: the level is outside (0, 1), or there are no folds.
    """
    if not 0 < level < 1 or not values:
        raise ValueError(f"expected a level in (0, 1) and at least one fold, got {level} and {len(values)}")
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(values), size=(replicates, len(values)))
    sums, counts = np.zeros(replicates), np.zeros(replicates)
    for place in range(len(values)):
        for fold, block in enumerate(values):
            rows = np.flatnonzero(drawn[:, place] == fold)
            patients = rng.integers(block.shape[0], size=(len(rows), block.shape[0], 1))
            seeds = rng.integers(block.shape[1], size=(len(rows), 1, block.shape[1]))
            sums[rows] += block[patients, seeds].mean(axis=2).sum(axis=1)
            counts[rows] += len(block)
    low, high = np.quantile(sums / counts, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
