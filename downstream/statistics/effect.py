# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The mean gain and how uncertain it is: patients, trainings and folds all add to that.

A gain is taken apart as ``d = δ + patient + fold + training + rest``, where a training is one seed in one fold, and a
fold brings its own training patients and its own generator. Patients alone as the unit, as a paired test has it,
forget that all patients of a fold were scored by the same few networks. Letters: P patients, K folds, n patients of a
fold, S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from .differences import Floats

__all__ = ["Effect", "estimate_effect"]


@dataclass(frozen=True)
class Effect:
    """A mean gain with the parts of its variance.

    Attributes:
        value: mean over patients.
        by_patient: variance of the mean from the choice of patients.
        by_training: from the seeds of training.
        by_fold: what folds differ beyond these two, 0 where they do not.
        degrees: of freedom of the three, 0 where a part cannot be told.
        patients: P.
    """

    value: float
    by_patient: float
    by_training: float
    by_fold: float
    degrees: tuple[int, int, int]
    patients: int

    @property
    def variance(self) -> float:
        """Variance of the mean."""
        return self.by_patient + self.by_training + self.by_fold

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the variance, after Satterthwaite (1946)."""
        parts = zip((self.by_patient, self.by_training, self.by_fold), self.degrees, strict=True)
        squares = sum(part**2 / degrees for part, degrees in parts if degrees)
        return self.variance**2 / squares if squares else math.inf

    @property
    def is_known(self) -> bool:
        """Whether the data can say how uncertain the mean is; one patient cannot, however many seeds there are."""
        return bool(self.degrees[0] or self.degrees[2])

    @property
    def is_replicated(self) -> bool:
        """Whether an arm was trained more than once; else nothing tells what it gives from the luck of one training."""
        return bool(self.degrees[1] or self.degrees[2])

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Return the t interval of the mean; None where nothing says how uncertain it is."""
        if not self.is_known:
            return None
        half = float(student.ppf((1 + level) / 2, self.freedom)) * math.sqrt(self.variance)
        return self.value - half, self.value + half

    def p_below(self, bound: float) -> float:
        """Return the one-sided p of the hypothesis that the true mean is at most `bound`; 1 where nothing can say."""
        if not self.is_known:
            return 1.0
        if self.variance == 0:
            return 0.0 if self.value > bound else 1.0
        return float(student.sf((self.value - bound) / math.sqrt(self.variance), self.freedom))

    def p_above(self, bound: float) -> float:
        """Return the one-sided p of the hypothesis that the true mean is at least `bound`; 1 where nothing can say."""
        mirrored = Effect(-self.value, self.by_patient, self.by_training, self.by_fold, self.degrees, self.patients)
        return mirrored.p_below(-bound)

    def p_different(self) -> float:
        """Return the two-sided p of no difference."""
        return min(1.0, 2 * min(self.p_below(0.0), self.p_above(0.0)))

    def p_equivalent(self, bound: float) -> float:
        """Return the p of a true mean beyond ±`bound`, by two one-sided tests (Schuirmann 1987)."""
        return max(self.p_below(-bound), self.p_above(bound))


def estimate_effect(values: Sequence[Floats]) -> Effect:
    """Estimate the mean gain, every patient alike, and its variance.

    With D the mean, D_f that of a fold and D_fs that of a training:

    - patients: ``Σ (d_p - D_f)² / (P - K) / P`` over patients p of all folds, seeds averaged;
    - trainings: ``Σ (D_fs - D_f)² / Σ (S - 1)``, times ``Σ (n/P)² / S`` over folds;
    - folds: what ``K/(K - 1) Σ (n/P)² (D_f - D)²``, the variance of the mean by folds alone (Liang & Zeger 1986), is
      above these two together.

    Args:
        values: of each fold, ``(n, S)``.

    Raises:
        ValueError: there are no folds, or one has no patients or no seeds.

    Example:
        >>> effect = estimate_effect([np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])])
        >>> effect.value, [round(end, 2) for end in effect.interval()]
        (3.0, [1.04, 4.96])
    """
    if not values or any(block.ndim != 2 or 0 in block.shape for block in values):
        raise ValueError(f"expected gains (patients, seeds) of each fold, got {[block.shape for block in values]}")
    patients, folds = sum(len(block) for block in values), len(values)
    shares = np.array([len(block) / patients for block in values])  # n/P
    means = np.array([block.mean() for block in values])
    value = float(shares @ means)
    within = sum(float(np.square(block.mean(axis=1) - block.mean()).sum()) for block in values)
    degrees = (patients - folds, sum(block.shape[1] - 1 for block in values), folds - 1)
    by_patient = within / degrees[0] / patients if degrees[0] else 0.0
    by_training = 0.0
    if degrees[1]:
        between = sum(float(np.square(block.mean(axis=0) - block.mean()).sum()) for block in values) / degrees[1]
        by_training = between * float(np.square(shares) @ [1 / block.shape[1] for block in values])
    by_fold = 0.0
    if degrees[2]:
        by_folds_alone = folds / degrees[2] * float(np.square(shares * (means - value)).sum())
        by_fold = max(0.0, by_folds_alone - by_patient - by_training)
    return Effect(value, by_patient, by_training, by_fold, degrees, patients)
