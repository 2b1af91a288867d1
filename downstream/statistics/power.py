# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How likely a study of this kind is to find an effect, and how many patients it would take."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import nct
from scipy.stats import t as student

from .differences import Floats
from .effect import Effect

__all__ = ["detection_power", "patients_needed"]

_FEW, _MOST_PATIENTS, _STEP = 200, 100_000, 1.02  # every number of patients is tried up to the first, then steps
_CERTAIN = 30.0  # standard errors, beyond which power is 1 and the noncentral t runs out of numbers


def detection_power(effect: Effect, size: float, alpha: float = 0.05) -> float:
    """Return how likely a true effect of some size is to be found, in its direction, by the t test over folds.

    Args:
        effect: whose variances are taken as the true ones; its value is not.
        size: true mean gain.
        alpha: of the test; α/m for a family of m questions.

    Raises:
        ValueError: the size is not above 0.
    """
    if not size > 0:
        raise ValueError(f"expected an effect above 0, got {size}")
    if effect.folds < 2:
        return 0.0
    return float(_powers(effect, np.array([effect.patients]), size, alpha)[0])


def patients_needed(effect: Effect, size: float, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Return the least number of patients for some power, in as many folds and with as many seeds.

    Only what patients add to the variance shrinks with their number; what trainings and folds add does not. So there
    may be no number that is enough: then it takes more folds, or more seeds. Nor is there one for a single fold, or
    where every fold has one patient, and nothing tells the two apart.

    Args:
        effect: whose variances are taken as the true ones.
        size: true mean gain.
        alpha: of the test.
        power: that is asked for.

    Returns:
        At least 2, or None where no number is enough. Above 200, within 2 %.
    """
    if effect.folds < 2 or effect.patients == effect.folds:
        return None
    many = np.geomspace(_FEW, _MOST_PATIENTS, round(math.log(_MOST_PATIENTS / _FEW, _STEP)))
    numbers = np.concatenate([np.arange(2, _FEW), np.ceil(many)])
    enough = np.flatnonzero(_powers(effect, numbers, size, alpha) >= power)
    return int(numbers[enough[0]]) if len(enough) else None


def _powers(effect: Effect, patients: Floats, size: float, alpha: float) -> Floats:
    """Return the power with other numbers of patients; that of folds, and so the freedom, stays."""
    variance = effect.by_patient * effect.patients / patients + effect.by_training + effect.by_fold
    freedom = effect.folds - 1
    with np.errstate(divide="ignore"):
        shift = np.minimum(size / np.sqrt(variance), _CERTAIN)
    found: Floats = nct.sf(student.isf(alpha / 2, freedom), freedom, shift)
    return np.where(shift < _CERTAIN, found, 1.0)
