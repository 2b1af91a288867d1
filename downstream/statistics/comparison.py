# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Arms against each other: gains with intervals, and verdicts of a family of questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..questions import Question
from ..scores import Score
from .differences import Differences, paired_differences
from .effect import Effect, estimate_effect
from .judgement import Verdict, judge, why_not
from .power import detection_power, patients_needed

__all__ = ["ALPHA", "LEVEL", "Comparison", "Gain", "compare", "measure_gains"]

ALPHA, LEVEL = 0.05, 0.95


@dataclass(frozen=True)
class Gain:
    """One arm against another, at one fraction.

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
        """Mean over folds, positive for better."""
        return self.effect.value


@dataclass(frozen=True)
class Comparison(Gain):
    """A gain with what may be said about it, beside the others of its family.

    Attributes:
        question: that is asked.
        margin: smallest difference that matters.
        family: how many comparisons share the error rate of 0.05.
        verdict: read from `simultaneous`.
        refused: why there is no verdict; empty where there is one.
        power: of this study to show a gain as large as the margin; 0 where verdicts are refused.
        patients_needed: for a power of 0.8; None where more patients alone are not enough.
    """

    question: Question
    margin: float
    family: int
    verdict: Verdict
    refused: str
    power: float
    patients_needed: int | None

    @property
    def simultaneous(self) -> tuple[float, float] | None:
        """The interval that, with those of its whole family, holds all true gains in 95 % of studies (Bonferroni)."""
        return self.effect.interval(1 - ALPHA / self.family)

    @property
    def p(self) -> float:
        """Two-sided p of no difference, times the size of the family."""
        return min(1.0, self.family * self.effect.p_different())


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


def compare(
    scores: Iterable[Score], questions: Sequence[Question], metric: str, smallest_effect: float
) -> list[Comparison]:
    """Answer questions as one family: in 95 % of studies, all of their intervals hold the truth.

    Args:
        scores: of all jobs.
        questions: of one family, in the order of the result; those whose arms have no scores are left out.
        metric: of which scores.
        smallest_effect: margin of those that name none, in the unit of the metric.

    Raises:
        ValueError: scores do not pair, see `paired_differences`.
    """
    rows = list(scores)
    gains = [(question, gain) for question in questions if (gain := _gain_of(rows, question, metric)) is not None]
    return [_answer(question, gain, smallest_effect, len(gains)) for question, gain in gains]


def _gain_of(scores: list[Score], question: Question, metric: str) -> Gain | None:
    gains = measure_gains(scores, [question.arm], question.against, metric)
    return next((gain for gain in gains if question.fraction in (None, gain.fraction)), None)


def _answer(question: Question, gain: Gain, smallest_effect: float, family: int) -> Comparison:
    margin = smallest_effect if question.margin is None else question.margin
    refused, alpha = why_not(gain.differences), ALPHA / family
    ends = gain.effect.interval(1 - alpha)
    return Comparison(
        gain.differences,
        gain.effect,
        question,
        margin,
        family,
        "cannot be told" if refused or ends is None else judge(ends, margin, question.ask),
        refused,
        0.0 if refused else detection_power(gain.effect, margin, alpha),
        patients_needed(gain.effect, margin, alpha),
    )
