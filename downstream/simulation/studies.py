# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole studies on simulated scores: how often the verdict about each arm is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.stats import binomtest

from ..statistics import ALPHA, LEVEL, Comparison, compare_arms
from .study_laws import ArmLaw, Design, draw_scores

__all__ = ["ARMS", "SMALLEST_EFFECT", "STUDIES", "rate_interval", "simulate_studies"]

SMALLEST_EFFECT = 0.02
STUDIES = {
    "small": Design(3, 4, 3),
    "medium": Design(3, 10, 3),
    "large": Design(5, 20, 3),
}
ARMS = (
    ArmLaw("fresh data", gain=0.04),
    ArmLaw("a small gain", gain=SMALLEST_EFFECT),
    ArmLaw("copies of training clips", gain=0.0, patient=0.02, fold=0.0),
    ArmLaw("noise", gain=0.0, patient=0.05, training=0.02),
    ArmLaw("a harmful generator", gain=-0.04),
)


def simulate_studies(
    design: Design, replicates: int, seed: int, tick: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """Draw and analyse studies with all of `ARMS`; count verdicts, and errors in any arm of a study.

    ``false_finding`` is the share of studies in which any arm without a gain helps or harms, or one that does is
    judged the wrong way round; ``false_equivalence`` that in which an arm of at least the smallest effect is called
    not relevant: both should be at most 0.05.

    Raises:
        ValueError: there are no replicates.
    """
    if replicates < 1:
        raise ValueError(f"expected at least 1 replicate, got {replicates}")
    rng = np.random.default_rng([seed, design.folds, design.patients, design.seeds])
    names = [arm.name for arm in ARMS]
    studies: list[list[Comparison]] = []
    for _ in range(replicates):
        studies.append(compare_arms(draw_scores(rng, design, ARMS), names, "real", "dice", SMALLEST_EFFECT))
        tick()
    return {
        "design": asdict(design),
        "arms": {arm.name: _of_arm(arm, [study[place] for study in studies]) for place, arm in enumerate(ARMS)},
        "false_finding": sum(any(map(_is_false_finding, study, ARMS)) for study in studies),
        "false_equivalence": sum(any(map(_is_false_equivalence, study, ARMS)) for study in studies),
    }


def rate_interval(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate (Clopper & Pearson 1934)."""
    found = binomtest(count, total).proportion_ci(LEVEL, method="exact")
    return float(found.low), float(found.high)


def _of_arm(arm: ArmLaw, found: list[Comparison]) -> dict[str, Any]:
    ends = [one.effect.interval(LEVEL) or (arm.gain, arm.gain) for one in found]
    return {
        "gain": arm.gain,
        "verdicts": dict(Counter(one.verdict for one in found)),
        "covered": sum(low <= arm.gain <= high for low, high in ends),
        "signed_rank": sum(one.p_signed_rank < ALPHA for one in found),
        "power": round(float(np.mean([one.power for one in found])), 3),
    }


def _is_false_finding(found: Comparison, arm: ArmLaw) -> bool:
    wrong = {"helps"} if arm.gain < 0 else {"harms"} if arm.gain > 0 else {"helps", "harms"}
    return found.verdict in wrong


def _is_false_equivalence(found: Comparison, arm: ArmLaw) -> bool:
    return abs(arm.gain) >= SMALLEST_EFFECT and found.verdict == "no relevant difference"
