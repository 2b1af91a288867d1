# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often intervals of the mean gain hold the truth, and families of null arms err."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.stats import t as student

from ..statistics import ALPHA, FEWEST_FOLDS, FEWEST_PATIENTS
from ..statistics.differences import Floats
from .laws import LAWS, Design, Spread, Summaries, draw_studies

__all__ = [
    "CELLS",
    "COMPARED_FAMILIES",
    "DESIGNS",
    "FAMILIES",
    "METHODS",
    "SPREADS",
    "gives_verdicts",
    "simulate_intervals",
]

FAMILIES = (1, 2, 7, 14)
"""How many arms that all gain nothing are tested at once."""

COMPARED_FAMILIES = (1, 7)
_COMPARED = 500  # studies that methods are compared on: those of each cell, for many degrees of freedom take long

DESIGNS = (
    Design(1, 12, 3), Design(1, 50, 3), Design(1, 150, 5),
    Design(2, 6, 3), Design(2, 10, 2), Design(2, 30, 3), Design(2, 75, 2), Design(2, 30, 3, balanced=False),
    Design(3, 4, 3), Design(3, 10, 2), Design(3, 20, 5), Design(3, 50, 3), Design(3, 15, 3, balanced=False),
    Design(4, 15, 2), Design(4, 30, 2, balanced=False),
    Design(5, 3, 2), Design(5, 6, 3), Design(5, 10, 2), Design(5, 20, 3), Design(5, 30, 5),
    Design(5, 15, 2, balanced=False),
)  # fmt: skip

SPREADS = {
    "patients only": Spread(),
    "trainings too": Spread(training=0.5),
    "folds and trainings": Spread(fold=0.25, training=0.25),
    "folds most of all": Spread(fold=1.0, training=0.5),
}

CELLS = tuple(
    (design, spread, law)
    for design in DESIGNS
    for spread in SPREADS
    for law in LAWS
    if design.folds > 1 or not SPREADS[spread].fold  # what one fold does is no error of a study about this fold
)
"""All that is simulated: size, spread and law."""


def by_folds(found: Summaries, alpha: float) -> Floats:
    """Half the interval of `Effect`: Student's over means of folds; of one fold, over its patients and trainings."""
    folds = found.means.shape[-1]
    if folds > 1:
        return np.asarray(_quantile(alpha, folds - 1) * np.sqrt(found.means.var(axis=-1, ddof=1) / folds))
    (of_patients, patients), (of_trainings, trainings) = _parts(found)
    squares = _quantile(alpha, patients) ** 2 * of_patients + _quantile(alpha, trainings) ** 2 * of_trainings
    return np.asarray(np.sqrt(squares))


def by_components(found: Summaries, alpha: float) -> Floats:
    """Half the interval over variances of patients, trainings and folds, with Satterthwaite's degrees of freedom.

    What a mixed model gives: where the part of folds is estimated as small, which is luck, it takes many degrees.
    """
    parts, folds = _parts(found), found.means.shape[-1]
    variance = sum(part for part, _ in parts)
    squares = sum(part**2 / freedom for part, freedom in parts if freedom)
    if folds > 1:
        beyond = np.maximum(0.0, found.means.var(axis=-1, ddof=1) / folds - variance)
        variance, squares = variance + beyond, squares + beyond**2 / (folds - 1)
    return np.asarray(_quantile(alpha, variance**2 / squares) * np.sqrt(variance))


def by_patients(found: Summaries, alpha: float) -> Floats:
    """Half of Student's interval over patients, as a paired t test has it; of folds of equal size."""
    patients, means = sum(found.sizes), found.means
    around = found.of_patients + np.mean(found.sizes) * np.square(means - means.mean(axis=-1, keepdims=True)).sum(-1)
    return np.asarray(_quantile(alpha, patients - 1) * np.sqrt(around / (patients - 1) / patients))


METHODS: dict[str, Callable[[Summaries, float], Floats]] = {
    "folds": by_folds,
    "components": by_components,
    "patients": by_patients,
}
"""Kinds of interval that are compared; the first is the one in use."""


def gives_verdicts(design: Design) -> bool:
    """Whether a study of this size gets verdicts, see `why_not`."""
    return design.folds >= FEWEST_FOLDS and min(design.sizes) >= FEWEST_PATIENTS


def simulate_intervals(design: Design, spread: str, law: str, studies: int, seed: int) -> dict[str, Any]:
    """Draw studies whose arms gain nothing, and count in how many of them an interval of a family lacks 0.

    Raises:
        ValueError: fewer than two studies, or an unknown law or spread.
    """
    if studies < 2 or law not in LAWS or spread not in SPREADS:
        known = f"laws are {', '.join(LAWS)}; spreads are {', '.join(SPREADS)}"
        got = f"{studies} studies, law {law!r}, spread {spread!r}"
        raise ValueError(f"expected 2 studies at least, a known law and a known spread, got {got}; {known}")
    rng = np.random.default_rng([seed, *_number(design, spread, law)])
    found = draw_studies(rng, design, SPREADS[spread], law, studies, max(FAMILIES))
    distance = np.abs(found.means.mean(axis=-1))  # (R, A)
    errors = {str(size): _share_of_errors(distance[:, :size], by_folds(found, ALPHA / size)) for size in FAMILIES}
    where = {"design": asdict(design), "spread": spread, "law": law}
    others = {name: _errors_of(method, found.first(_COMPARED)) for name, method in METHODS.items()}
    return {**where, "verdicts": gives_verdicts(design), "errors": errors, "methods": others}


def _errors_of(method: Callable[[Summaries, float], Floats], found: Summaries) -> dict[str, float]:
    distance = np.abs(found.means.mean(axis=-1))
    return {str(size): _share_of_errors(distance[:, :size], method(found, ALPHA / size)) for size in COMPARED_FAMILIES}


def _share_of_errors(distance: Floats, half: Floats) -> float:
    return round(float(np.mean((distance > half[:, : distance.shape[1]]).any(axis=1))), 4)


def _parts(found: Summaries) -> list[tuple[Floats, int]]:
    """Return what patients and trainings add to the variance of the mean, with degrees of freedom; see `Effect`."""
    parts = []
    for squares, sizes in ((found.of_patients, found.sizes), (found.of_trainings, found.trainings)):
        freedom = sum(sizes) - len(sizes)
        share = sum(1 / size for size in sizes) / len(sizes) ** 2
        parts.append((squares / max(1, freedom) * share, freedom))
    return parts


def _quantile(alpha: float, freedom: float | Floats) -> Floats:
    return np.asarray(student.isf(alpha / 2, freedom))


def _number(design: Design, spread: str, law: str) -> tuple[int, int, int]:
    return DESIGNS.index(design) if design in DESIGNS else 0, list(SPREADS).index(spread), list(LAWS).index(law)
