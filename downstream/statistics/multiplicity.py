# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tests over several arms at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import wilcoxon

__all__ = ["holm", "signed_rank_p"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in their order (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1; none becomes smaller than the one before it, or larger than 1.
    Rejecting what is below α then errs in one or more of the arms with probability α at most, however they depend.

    Raises:
        ValueError: a p-value is outside [0, 1].

    Example:
        >>> holm([0.04, 0.01, 0.03])
        [0.06, 0.03, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"expected p-values from 0 to 1, got {list(p_values)}")
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return [float(value) for value in corrected]


def signed_rank_p(gains: Iterable[float]) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test over patients; 1 where all gains are zero.

    It takes patients for independent, which they are not where a few trainings score all of them.
    """
    values = np.array(list(gains), dtype=np.float64)
    return float(wilcoxon(values).pvalue) if np.any(values) else 1.0
