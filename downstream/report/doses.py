# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What more synthetic clips, and more real ones, do; and what they do to each patient."""

from __future__ import annotations

import numpy as np

from monai_feat.visualize import (
    Axis,
    Html,
    Line,
    Series,
    count,
    element,
    format_number,
    join,
    legend,
    line_panel,
    paragraph,
    percent,
)

from ..statistics import Comparison, arm_values
from .findings import Findings
from .gain_text import of_real_data, patient_text, unit_text

__all__ = ["doses_section", "patients_section"]

_SERIES: tuple[Series, ...] = ("second", "first", "third")


def doses_section(found: Findings) -> Html:
    """Return gains by the number of synthetic clips, and means by that of real patients; empty where nothing varies."""
    doses = {arm.name: arm.ratio for arm in found.study.arms if arm.kind == "synthetic" and arm.ratio is not None}
    against = found.study.reference
    dosed = [(doses[o.arm], o) for o in found.comparisons if o.arm in doses and o.question.against == against]
    by_fraction = {one.fraction: [pair for pair in dosed if pair[1].fraction == one.fraction] for _, one in dosed}
    panels = [_dose(found, pairs) for pairs in by_fraction.values() if len({ratio for ratio, _ in pairs}) > 1]
    if len({mean.fraction for mean in found.means}) > 1 and found.lead:
        panels.append(_fractions(found, found.lead))
    return element("div", *panels, class_="grid large") if panels else Html()


def _dose(found: Findings, pairs: list[tuple[float, Comparison]]) -> Html:
    ordered = sorted(pairs, key=lambda pair: pair[0])
    ends = [one.simultaneous or (one.gain, one.gain) for _, one in ordered]
    x = (0.0, *(ratio for ratio, _ in ordered))
    line = Line("gain", x, (0.0, *(one.gain for _, one in ordered)), "first", dots=True, intervals=((0.0, 0.0), *ends))
    title = f"Gain in {unit_text(found.metric)}, {of_real_data(ordered[0][1].fraction)}"
    names = {ratio: f"{ratio:g}" for ratio in x}
    up = Axis.around([0.0, *(end for pair in ends for end in pair)], with_zero=True)
    label = "synthetic clips for each real one"
    return line_panel([line], title, label, "0 is the reference.", y_axis=up, x_names=names)


def _fractions(found: Findings, lead: Comparison) -> Html:
    arms = [found.study.reference, lead.arm, *found.study.named("control")[:1]]
    lines = [line for arm, series in zip(arms, _SERIES, strict=False) if (line := _fraction_line(found, arm, series))]
    names = {fraction: percent(fraction) for line in lines for fraction in line.x}
    panel = line_panel(lines, unit_text(found.metric), "of the real training patients", x_names=names)
    return element("div", panel, legend({line.label: line.series for line in lines}))


def _fraction_line(found: Findings, arm: str, series: Series) -> Line | None:
    means = [mean for mean in found.means if (mean.arm, mean.metric) == (arm, found.study.metric)]
    if not means:
        return None
    x, values = tuple(mean.fraction for mean in means), tuple(mean.effect.value for mean in means)
    ends = tuple(mean.interval or (mean.effect.value, mean.effect.value) for mean in means)
    return Line(arm, x, values, series, dots=True, intervals=ends)


def patients_section(found: Findings) -> Html:
    """Return a line for each patient, between the two arms of the leading question."""
    lead = found.lead
    if lead is None:
        return Html()
    study, pairs = found.study, lead.differences
    jobs = {(fold, seed) for fold, seeds in zip(pairs.folds, pairs.seeds, strict=True) for seed in seeds}
    scores = [score for score in study.scores if (score.fold, score.seed) in jobs]  # not of what one arm lacks
    compared = (lead.question.against, lead.arm)
    before, after = (arm_values(scores, arm, study.metric, lead.fraction) for arm in compared)
    names = dict(zip(pairs.folds, pairs.patients, strict=True))
    lines = [
        _slope(name, float(np.mean(old)), float(np.mean(new)), found.metric.higher_is_better)
        for fold in names
        for name, old, new in zip(names[fold], before[fold], after[fold], strict=True)
    ]
    better = sum(line.series == "third" for line in lines)
    worse = sum(line.series == "first" for line in lines)
    said = f"{format_number(better)} of {count(len(lines), 'patient')} gain, {format_number(worse)} lose."
    panel = line_panel(
        lines,
        f"{unit_text(found.metric)} of each patient",
        "",
        said,
        x_axis=Axis(-0.15, 1.15),
        x_names={0.0: lead.question.against, 1.0: lead.arm},
    )
    keys: dict[str, Html | Series] = {f"better with “{lead.arm}”": "third", "worse": "first"}
    explained = paragraph(f"Mean over clips and seeds, {of_real_data(lead.fraction)}.")
    return join([explained, legend(keys), element("div", panel, class_="grid large")])


def _slope(name: str, before: float, after: float, higher_is_better: bool) -> Line:
    gain = after - before if higher_is_better else before - after
    series: Series = "third" if gain > 0 else "first" if gain < 0 else "second"
    label = f"{patient_text(name)}, {format_number(before)} to {format_number(after)}"
    return Line(label, (0.0, 1.0), (before, after), series, dots=True)
