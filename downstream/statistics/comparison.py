# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""All arms against the reference, at every fraction: gains with intervals, tests, verdicts and power."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..scores import Score
from .differences import Differences, paired_differences
from .effect import Effect, estimate_effect
from .judgement import Verdict, judge
from .multiplicity import holm, signed_rank_p
from .power import detection_power, patients_needed

__all__ = ["ALPHA", "LEVEL", "Comparison", "Gain", "compare_arms", "measure_gains"]

ALPHA, LEVEL = 0.05, 0.95


@dataclass(frozen=True)
class Gain:
    """One arm against the reference, at one fraction.

    Attributes:
        differences: that it is made of.
        effect: mean gain, positive for better, and its variance.
    """

    differences: Differences = field(repr=False)
    effect: Effect

    @property
    def arm(self) -> str:
        """Name of the arm."""
        return self.differences.arm

    @property
    def fraction(self) -> float:
        """Share of the real data."""
        return self.differences.fraction

    @property
    def gain(self) -> float:
        """Mean over patients, positive for better."""
        return self.effect.value


@dataclass(frozen=True)
class Comparison(Gain):
    """A gain with what may be said about it, beside the other arms of the study.

    Attributes:
        p: of no difference, by the t test over patients, trainings and folds, corrected by Holm.
        p_equivalent: of a difference at least as large as the smallest effect, corrected likewise.
        p_signed_rank: of Wilcoxon's test over patients, corrected likewise; shown, it decides nothing.
        verdict: what may be said; of an arm that was trained once, nothing.
        power: of this study to find the smallest effect.
        patients_needed: for a power of 0.8; None where more patients alone are not enough.
    """

    p: float
    p_equivalent: float
    p_signed_rank: float
    verdict: Verdict
    power: float
    patients_needed: int | None


def measure_gains(scores: Iterable[Score], arms: Sequence[str], reference: str, metric: str) -> list[Gain]:
    """Pair arms with the reference at every fraction that both have.

    Args:
        scores: of all jobs.
        arms: to compare.
        reference: what with.
        metric: of which scores.

    Returns:
        By arm in the order given, then by fraction, the largest first.

    Raises:
        ValueError: scores do not pair, see `paired_differences`.
    """
    found = [score for score in scores if score.metric == metric]
    fractions = {arm: {score.fraction for score in found if score.arm == arm} for arm in (*arms, reference)}
    pairs = [
        paired_differences(found, arm, reference, metric, fraction)
        for arm in arms
        for fraction in sorted(fractions[arm] & fractions[reference], reverse=True)
    ]
    return [Gain(pair, estimate_effect(pair.values)) for pair in pairs]


def compare_arms(
    scores: Iterable[Score], arms: Sequence[str], reference: str, metric: str, smallest_effect: float
) -> list[Comparison]:
    """Compare arms with the reference at every fraction that both have; all comparisons are one family of tests.

    Args:
        scores: as for `measure_gains`, as are the next three.
        arms: to compare.
        reference: what with.
        metric: of which scores.
        smallest_effect: smallest relevant gain, in the unit of the metric.

    Raises:
        ValueError: scores do not pair, see `paired_differences`.
    """
    gains = measure_gains(scores, arms, reference, metric)
    tests = (
        holm([one.effect.p_different() for one in gains]),
        holm([one.effect.p_equivalent(smallest_effect) for one in gains]),
        holm([signed_rank_p(one.differences.by_patient().values()) for one in gains]),
    )
    alpha = ALPHA / max(1, len(gains))
    return [
        Comparison(
            one.differences,
            one.effect,
            p,
            p_equivalent,
            p_signed_rank,
            judge(one.gain, p, p_equivalent, ALPHA) if one.effect.is_replicated else "cannot be told",
            detection_power(one.effect, smallest_effect, alpha),
            patients_needed(one.effect, smallest_effect, alpha),
        )
        for one, p, p_equivalent, p_signed_rank in zip(gains, *tests, strict=True)
    ]
