# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study found: everything that the report says, computed once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..metric_table import METRICS, Metric
from ..questions import Question
from ..scores import Score
from ..statistics import LEVEL, Comparison, Effect, Gain, arm_values, compare, estimate_effect, measure_gains
from .inputs import ArmKind, ReportInput

__all__ = ["ArmMean", "Findings", "find"]


@dataclass(frozen=True)
class ArmMean:
    """How well one arm does, whatever the others do.

    Attributes:
        arm: its name.
        fraction: of the real data.
        metric: of the scores.
        effect: mean over patients, with its variance.
    """

    arm: str
    fraction: float
    metric: str
    effect: Effect

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the mean over patients, for these networks, within what the metric can be; None of one."""
        ends, metric = self.effect.interval_over_patients(LEVEL), METRICS[self.metric]
        return ends and (max(metric.low, ends[0]), min(metric.high, ends[1]))


@dataclass(frozen=True)
class Findings:
    """All numbers of a report.

    Attributes:
        study: that they are of.
        declared: answers to the questions of the study, one family; the leading one first.
        others: all other comparisons of arms with the reference, another family; they were not asked for.
        against_controls: of each declared benefit with each control, for itself: a gain has to beat all of them.
        secondary: gains of all arms by every other metric; nothing is decided by them.
        means: of every arm, baselines among them, at every fraction, by every metric.
    """

    study: ReportInput = field(repr=False)
    declared: tuple[Comparison, ...]
    others: tuple[Comparison, ...]
    against_controls: tuple[Comparison, ...]
    secondary: Mapping[str, tuple[Gain, ...]]
    means: tuple[ArmMean, ...]

    @property
    def metric(self) -> Metric:
        """The metric that the verdict is about."""
        return METRICS[self.study.metric]

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All comparisons, the declared ones first."""
        return (*self.declared, *self.others)

    @property
    def fraction(self) -> float:
        """The fraction that the report looks at more closely: that of the leading question."""
        lead = self.lead
        return lead.fraction if lead else max((score.fraction for score in self.study.scores), default=1.0)

    @property
    def lead(self) -> Comparison | None:
        """The answer to the first question."""
        return next(iter(self.declared), None)

    @property
    def bounds(self) -> list[Comparison]:
        """The comparisons of arms with more real clips."""
        names = self._named("bound")
        return [one for one in self.comparisons if one.arm in names]

    def controls_of(self, one: Comparison) -> list[Comparison]:
        """Return a declared arm against each control, at its fraction."""
        return [other for other in self.against_controls if (other.arm, other.fraction) == (one.arm, one.fraction)]

    def gain_of(self, arm: str, fraction: float) -> Comparison | None:
        """Return the comparison of an arm with the reference; None where there is none."""
        wanted = (arm, fraction, self.study.reference)
        return next((o for o in self.comparisons if (o.arm, o.fraction, o.question.against) == wanted), None)

    def mean_of(self, arm: str, fraction: float, metric: str) -> ArmMean | None:
        """Return an arm's mean; None where it was not scored."""
        wanted = (arm, fraction, metric)
        return next((mean for mean in self.means if (mean.arm, mean.fraction, mean.metric) == wanted), None)

    def _named(self, kind: ArmKind) -> set[str]:
        return {arm.name for arm in self.study.arms if arm.kind == kind}


def find(study: ReportInput) -> Findings:
    """Compute all numbers of a report.

    Raises:
        ValueError: the scores do not pair; see `paired_differences`.
    """
    declared = _compare(study, study.questions)
    asked = {(one.arm, one.question.against, one.fraction) for one in declared}
    arms, metrics = study.named("synthetic", "control", "bound"), {score.metric for score in study.scores}
    rest = [Question(arm, against=study.reference, fraction=f) for arm in arms for f in _fractions(study, arm)]
    return Findings(
        study,
        declared,
        others=_compare(study, [one for one in rest if one.cell not in asked]),
        against_controls=tuple(_against_controls(study, declared)),
        secondary={
            metric: tuple(measure_gains(study.scores, arms, study.reference, metric))
            for metric in METRICS
            if metric in metrics - {study.metric}
        },
        means=tuple(_means(study)),
    )


def _compare(study: ReportInput, questions: Sequence[Question]) -> tuple[Comparison, ...]:
    return tuple(compare(study.scores, questions, study.metric, study.smallest_effect))


def _fractions(study: ReportInput, arm: str) -> list[float]:
    return sorted({score.fraction for score in study.scores if score.arm == arm}, reverse=True)


def _against_controls(study: ReportInput, declared: Sequence[Comparison]) -> Iterator[Comparison]:
    """Yield each declared benefit against each control: a family of one each, because it has to beat all of them."""
    for one in declared:
        for control in study.named("control"):
            if one.question.ask == "benefit" and control not in (one.arm, one.question.against):
                question = Question(one.arm, against=control, margin=one.margin, fraction=one.fraction)
                yield from _compare(study, [question])


def _means(study: ReportInput) -> list[ArmMean]:
    order = {arm.name: place for place, arm in enumerate(study.arms)}
    cells: dict[tuple[str, float, str], list[Score]] = defaultdict(list)
    for score in study.scores:
        cells[score.arm, score.fraction, score.metric].append(score)
    return [
        ArmMean(arm, fraction, metric, estimate_effect(list(arm_values(scores, arm, metric, fraction).values())))
        for (arm, fraction, metric), scores in sorted(cells.items(), key=lambda cell: (-cell[0][1], order[cell[0][0]]))
    ]
