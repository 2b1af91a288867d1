# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often intervals of the mean gain hold the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.stats import t as student

from ..statistics import LEVEL, bootstrap_interval, estimate_effect, signed_rank_p
from ..statistics.differences import Floats
from .study_laws import LAWS, Design, Spread, draw_gains

__all__ = ["CELLS", "DESIGNS", "METHODS", "SPREADS", "simulate_coverage"]

DESIGNS = (
    Design(2, 5, 3),
    Design(3, 3, 3),
    Design(3, 7, 3),
    Design(3, 20, 3),
    Design(5, 2, 1),
    Design(5, 4, 1),
    Design(5, 4, 3),
    Design(5, 20, 3),
    Design(4, 25, 5),
    Design(1, 12, 3),
    Design(1, 50, 3),
    Design(1, 150, 3),
)
SPREADS = {
    "patients only": Spread(),
    "trainings too": Spread(training=0.5),
    "folds and trainings": Spread(fold=0.25, training=0.25),
    "folds and trainings, much": Spread(fold=0.5, training=0.5),
}

_LAWS_WITH = ("patients only", "folds and trainings")  # other spreads are simulated with the normal law alone
CELLS = tuple(
    (design, name, law)
    for design in DESIGNS
    for name, spread in SPREADS.items()
    if design.folds > 1 or not spread.fold  # what one fold does is not an error of a study that is about this fold
    for law in (LAWS if name in _LAWS_WITH else ("normal",))
)
"""All that is simulated: size, spread and law."""

Interval = tuple[float, float]


def by_components(values: Sequence[Floats]) -> Interval:
    """The interval of `Effect`: patients, trainings and folds, each with its degrees of freedom."""
    ends = estimate_effect(values).interval(LEVEL)
    assert ends is not None
    return ends


def by_patients(values: Sequence[Floats]) -> Interval:
    """Student's interval over patients, as a paired t test has it."""
    return _student(np.concatenate([block.mean(axis=1) for block in values]))


def by_folds(values: Sequence[Floats]) -> Interval:
    """Student's interval over means of folds."""
    return _student(np.array([block.mean() for block in values]))


def by_bootstrap(values: Sequence[Floats]) -> Interval:
    """Percentiles of the hierarchical bootstrap."""
    return bootstrap_interval(values, LEVEL, replicates=400)


METHODS: dict[str, Callable[[Sequence[Floats]], Interval]] = {
    "components": by_components,
    "bootstrap": by_bootstrap,
    "patients": by_patients,
    "folds": by_folds,
}
"""Kinds of interval that are compared; the first is the one in use. The last takes two folds at least."""


def simulate_coverage(design: Design, spread: str, law: str, replicates: int, seed: int) -> dict[str, Any]:
    """Draw gains of mean 0, and count how often each interval holds it and how wide it is.

    Width is the mean one, in standard deviations of the estimate: 3.92 is what an interval has that knows them.
    ``signed_rank`` is how often Wilcoxon's test over patients calls a difference that is not there, at 0.05.

    Raises:
        ValueError: fewer than two replicates, or an unknown law or spread.
    """
    if replicates < 2 or law not in LAWS or spread not in SPREADS:
        known = f"laws are {', '.join(LAWS)}; spreads are {', '.join(SPREADS)}"
        got = f"{replicates} replicates, law {law!r}, spread {spread!r}"
        raise ValueError(f"expected 2 replicates at least, a known law and a known spread, got {got}; {known}")
    rng = np.random.default_rng([seed, *_number(design, spread, law)])
    studies = [draw_gains(rng, design, SPREADS[spread], law) for _ in range(replicates)]
    deviation = float(np.std([np.mean(blocks) for blocks in studies]))
    coverage, width = {}, {}
    for name, method in METHODS.items():
        if method is by_folds and design.folds == 1:
            continue
        low, high = np.array([method(blocks) for blocks in studies]).T
        coverage[name] = float(np.mean((low <= 0) & (high >= 0)))
        width[name] = round(float(np.mean(high - low)) / deviation, 2)
    patients = [np.concatenate([block.mean(axis=1) for block in blocks]).tolist() for blocks in studies]
    signed_rank = float(np.mean([signed_rank_p(gains) < 1 - LEVEL for gains in patients]))
    where = {"design": asdict(design), "spread": spread, "law": law}
    return {**where, "coverage": coverage, "width": width, "signed_rank": signed_rank}


def _student(values: Floats) -> Interval:
    half = float(student.ppf((1 + LEVEL) / 2, len(values) - 1)) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(values.mean()) - half, float(values.mean()) + half


def _number(design: Design, spread: str, law: str) -> tuple[int, int, int]:
    return DESIGNS.index(design) if design in DESIGNS else 0, list(SPREADS).index(spread), list(LAWS).index(law)
