# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often a study comes to a verdict, by the gain that is there: its power."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..questions import Ask
from ..statistics import ALPHA, judge
from .intervals import by_folds
from .laws import Design, Spread, draw_studies

__all__ = ["GAINS", "POWER_DESIGNS", "SMALLEST_EFFECT", "simulate_verdicts"]

SMALLEST_EFFECT = 0.02
_PATIENTS = 0.03  # Dice
_SPREAD = Spread(fold=1 / 6, training=1 / 3, rest=4 / 3)  # 0.005, 0.01 and 0.04 of Dice
FAMILY = 4
"""Questions of a study that asks several, beside one that asks a single one."""
GAINS: tuple[tuple[float, Ask], ...] = (
    (0.0, "benefit"), (0.02, "benefit"), (0.04, "benefit"), (0.0, "non-inferiority"), (-0.02, "non-inferiority")
)  # fmt: skip
POWER_DESIGNS = (
    Design(2, 30, 3), Design(3, 10, 3), Design(3, 50, 3), Design(4, 15, 1), Design(5, 10, 1), Design(5, 10, 3),
    Design(5, 30, 3), Design(10, 10, 1), Design(10, 15, 3),
)  # fmt: skip


def simulate_verdicts(design: Design, studies: int, seed: int) -> list[dict[str, Any]]:
    """Draw studies with normal gains, and count the verdicts about each of `GAINS`, for one question and for several.

    Raises:
        ValueError: there are no studies.
    """
    if studies < 1:
        raise ValueError(f"expected at least 1 study, got {studies}")
    rng = np.random.default_rng([seed, design.folds, design.patients, design.seeds])
    found = draw_studies(rng, design, _SPREAD, "normal", studies)
    means = _PATIENTS * found.means[:, 0].mean(axis=-1)
    rows = []
    for family in (1, FAMILY):
        half = _PATIENTS * by_folds(found, ALPHA / family)[:, 0]
        for gain, ask in GAINS:
            told = _count([*zip(gain + means - half, gain + means + half, strict=True)], ask)
            rows.append({"design": asdict(design), "family": family, "gain": gain, "ask": ask, "verdicts": told})
    return rows


def _count(intervals: Sequence[tuple[float, float]], ask: Ask) -> dict[str, float]:
    told = Counter(judge(interval, SMALLEST_EFFECT, ask) for interval in intervals)
    return {verdict: round(number / len(intervals), 4) for verdict, number in told.items()}
