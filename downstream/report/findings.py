# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study found: everything that the report says, computed once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..metrics import METRICS, Metric
from ..scores import Score
from ..statistics import (
    LEVEL,
    Comparison,
    Effect,
    Gain,
    arm_values,
    bootstrap_interval,
    compare_arms,
    estimate_effect,
    measure_gains,
    simulated_coverage,
)
from .inputs import ArmKind, ReportInput, question_arms

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
        """The interval of the mean, within what the metric can be; None where nothing says how uncertain it is."""
        ends, metric = self.effect.interval(LEVEL), METRICS[self.metric]
        return ends and (max(metric.low, ends[0]), min(metric.high, ends[1]))


@dataclass(frozen=True)
class Findings:
    """All numbers of a report.

    Attributes:
        study: that they are of.
        comparisons: of synthetic arms, controls and bounds with the reference, by the metric of the verdict.
        against_controls: of the leading synthetic arm with each control, at the fraction of the verdict.
        secondary: gains of the same arms by every other metric; nothing is decided by them.
        means: of every arm, baselines among them, at every fraction, by every metric.
        bootstrap: percentiles of the hierarchical bootstrap, in the order of `comparisons`.
        coverage: least simulated coverage of both kinds of interval at the size of this study; of none without gains.
    """

    study: ReportInput = field(repr=False)
    comparisons: tuple[Comparison, ...]
    against_controls: tuple[tuple[str, Comparison], ...]
    secondary: Mapping[str, tuple[Gain, ...]]
    means: tuple[ArmMean, ...]
    bootstrap: tuple[tuple[float, float], ...]
    coverage: Mapping[str, float]

    @property
    def metric(self) -> Metric:
        """The metric that the verdict is about."""
        return METRICS[self.study.metric]

    @property
    def fraction(self) -> float:
        """The fraction that the report looks at more closely: the largest that the leading arm was compared at."""
        lead = self.lead
        return lead.fraction if lead else max((score.fraction for score in self.study.scores), default=1.0)

    @property
    def lead(self) -> Comparison | None:
        """The first of `question_arms` that was compared, at its largest fraction."""
        return next(iter(self.question), None)

    @property
    def question(self) -> list[Comparison]:
        """The comparisons that the answer is about, the leading one first."""
        return [one for name in question_arms(self.study.arms) for one in self.comparisons if one.arm == name]

    @property
    def controls(self) -> list[Comparison]:
        """The comparisons of controls."""
        return self._of_kind("control")

    @property
    def bounds(self) -> list[Comparison]:
        """The comparisons of arms with more real clips."""
        return self._of_kind("bound")

    def _of_kind(self, kind: ArmKind) -> list[Comparison]:
        names = {arm.name for arm in self.study.arms if arm.kind == kind}
        return [one for one in self.comparisons if one.arm in names]

    def mean_of(self, arm: str, fraction: float, metric: str) -> ArmMean | None:
        """Return an arm's mean; None where it was not scored."""
        wanted = (arm, fraction, metric)
        return next((mean for mean in self.means if (mean.arm, mean.fraction, mean.metric) == wanted), None)


def find(study: ReportInput) -> Findings:
    """Compute all numbers of a report.

    Raises:
        ValueError: the scores do not pair; see `paired_differences`.
    """
    arms, metrics = study.named("synthetic", "control", "bound"), {score.metric for score in study.scores}
    main = tuple(compare_arms(study.scores, arms, study.reference, study.metric, study.smallest_effect))
    found = Findings(
        study,
        main,
        against_controls=(),
        secondary={
            metric: tuple(measure_gains(study.scores, arms, study.reference, metric))
            for metric in METRICS
            if metric in metrics - {study.metric}
        },
        means=tuple(_means(study)),
        bootstrap=tuple(bootstrap_interval(one.differences.values, LEVEL) for one in main),
        coverage=_coverage(main),
    )
    return replace(found, against_controls=tuple(_against_controls(found)))


def _against_controls(found: Findings) -> list[tuple[str, Comparison]]:
    lead, study = found.lead, found.study
    if lead is None:
        return []
    scores = [score for score in study.scores if score.fraction == lead.fraction]
    pairs = [
        (control, compare_arms(scores, [lead.arm], control, study.metric, study.smallest_effect))
        for control in study.named("control")
    ]
    return [(control, comparison) for control, comparisons in pairs for comparison in comparisons]


def _means(study: ReportInput) -> list[ArmMean]:
    order = {arm.name: place for place, arm in enumerate(study.arms)}
    cells: dict[tuple[str, float, str], list[Score]] = defaultdict(list)
    for score in study.scores:
        cells[score.arm, score.fraction, score.metric].append(score)
    return [
        ArmMean(arm, fraction, metric, estimate_effect(list(arm_values(scores, arm, metric, fraction).values())))
        for (arm, fraction, metric), scores in sorted(cells.items(), key=lambda cell: (-cell[0][1], order[cell[0][0]]))
    ]


def _coverage(comparisons: tuple[Comparison, ...]) -> dict[str, float]:
    kinds = ("components", "bootstrap") if comparisons else ()
    return {kind: min(simulated_coverage(one.differences, kind) for one in comparisons) for kind in kinds}
