# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The mean gain and how uncertain it is.

A gain is taken as ``d = δ + patient + fold + training + rest``. A training is one seed in one fold. A fold brings its
own training patients and its own generator, and a seed its own generator where the study replicates it. All patients of
a fold were scored by the same few networks, so patients are not independent; folds are as good as independent. So
folds are the unit: Student's t over their means. It needs no model of what happens inside a fold, and folds may
differ in size and spread (Ibragimov & Müller 2010). One fold tells nothing about others: what is left there is the fold
itself, with other patients and other seeds.

Letters: P patients, K folds, n patients of a fold, S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import bisect
from scipy.stats import t as student

from .differences import Floats

__all__ = ["Effect", "Term", "estimate_effect"]

_LEAST_LOG_P = -300.0  # squares of quantiles stay within what a double can hold


@dataclass(frozen=True)
class Term:
    """One estimated part of the variance of a mean, with its degrees of freedom."""

    variance: float
    freedom: int


@dataclass(frozen=True)
class Effect:
    """A mean gain, every fold alike, with its variance.

    Attributes:
        value: mean over folds of the mean over patients and seeds.
        terms: whose variances add up to that of the mean; one where there are several folds.
        by_patient: how much of the variance the choice of patients brings, as far as it can be told; for the power.
        by_training: likewise, the seeds of training.
        by_fold: likewise, what folds differ beyond these two.
        patients: P.
        folds: K.
    """

    value: float
    terms: tuple[Term, ...]
    by_patient: float = 0.0
    by_training: float = 0.0
    by_fold: float = 0.0
    patients: int = 1
    folds: int = 1

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Return the interval of the mean; None where nothing says how uncertain it is.

        Its half width is ``√(Σ t² V)`` over `terms`, each t with the freedom of its term. For one term that is
        Student's interval. For several it holds the truth at least as often as it says (Banerjee 1960).
        """
        if not self.terms:
            return None
        half = self._half_width(math.log1p(-level))
        return self.value - half, self.value + half

    def interval_over_patients(self, level: float = 0.95) -> tuple[float, float] | None:
        """Return the interval for other patients and the same networks: how sure a mean is, not whether arms differ."""
        freedom = self.patients - self.folds
        if not freedom:
            return None
        half = float(student.isf((1 - level) / 2, freedom)) * math.sqrt(self.by_patient)
        return self.value - half, self.value + half

    def p_different(self, bound: float = 0.0) -> float:
        """Return the two-sided p of a true mean of `bound`: one less the level at which the interval ends there."""
        distance = abs(self.value - bound)
        if not self.terms or distance == 0:
            return 1.0
        if self._half_width(_LEAST_LOG_P) <= distance:
            return 0.0
        return math.exp(bisect(lambda log_p: self._half_width(log_p) - distance, _LEAST_LOG_P, 0.0))

    def _half_width(self, log_p: float) -> float:
        """Return how far the interval of level 1 - p reaches to each side; with log p, because p may be tiny."""
        squares = (float(student.isf(math.exp(log_p) / 2, part.freedom)) ** 2 * part.variance for part in self.terms)
        return math.sqrt(sum(squares))


def estimate_effect(values: Sequence[Floats]) -> Effect:
    """Estimate the mean gain, every fold alike, and its variance.

    With D_f the mean of a fold, D that of all D_f and D_fs that of a training:

    - several folds: ``Σ (D_f - D)² / (K - 1) / K``, with K - 1 degrees of freedom;
    - one fold: of patients, ``Σ (d_p - D)² / (n - 1) / n``, with n - 1, and of trainings,
      ``Σ (D_s - D)² / (S - 1) / S``, with S - 1.

    Args:
        values: of each fold, ``(n, S)``.

    Raises:
        ValueError: there are no folds, or one has no patients or no seeds.

    Example:
        >>> effect = estimate_effect([np.array([[1.0]]), np.array([[2.0]]), np.array([[3.0]])])
        >>> effect.value, [round(end, 2) for end in effect.interval()]
        (2.0, [-0.48, 4.48])
    """
    if not values or any(block.ndim != 2 or 0 in block.shape for block in values):
        raise ValueError(f"expected gains (patients, seeds) of each fold, got {[block.shape for block in values]}")
    folds, means = len(values), np.array([block.mean() for block in values])
    of_patients = _pooled([block.mean(axis=1) for block in values])
    of_trainings = _pooled([block.mean(axis=0) for block in values])
    if folds > 1:
        terms: tuple[Term, ...] = (Term(float(means.var(ddof=1)) / folds, folds - 1),)
    else:
        terms = tuple(part for part in (of_patients, of_trainings) if part.freedom)
        terms = terms if of_patients.freedom else ()
    beyond = terms[0].variance - of_patients.variance - of_trainings.variance if folds > 1 else 0.0
    return Effect(
        float(means.mean()),
        terms,
        of_patients.variance,
        of_trainings.variance,
        max(0.0, beyond),
        sum(map(len, values)),
        folds,
    )


def _pooled(groups: Sequence[Floats]) -> Term:
    """Return what units within folds add to the variance of the mean of fold means; their spread is that of all."""
    freedom = sum(len(group) - 1 for group in groups)
    if not freedom:
        return Term(0.0, 0)
    spread = sum(float(np.square(group - group.mean()).sum()) for group in groups) / freedom
    return Term(spread * sum(1 / len(group) for group in groups) / len(groups) ** 2, freedom)
