# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Gains of all arms: forest plots, and tables of tests and of means."""

from __future__ import annotations

from collections.abc import Sequence

from monai_feat.visualize import (
    Cell,
    ColumnKind,
    Html,
    IntervalRow,
    element,
    format_number,
    format_range,
    interval_plot,
    join,
    legend,
    paragraph,
    percent,
    table,
)

from ..metrics import METRICS
from ..statistics import LEVEL, Comparison
from .findings import Findings
from .gain_text import mean_text, of_real_data, p_text, signed, unit_text

__all__ = ["gains_section", "means_section"]

_MARKS: dict[str, Html] = {
    "gain over the reference, with its interval": join(
        [
            element("line", x1=0, y1=6, x2=26, y2=6, class_="whisker"),
            element("circle", cx=13, cy=6, r=4.5, class_="estimate"),
        ]
    ),
    "too small to matter, as declared before": join(
        [
            element("rect", x=0, y=0, width=26, height=12, class_="band"),
            element("line", x1=13, y1=0, x2=13, y2=12, class_="centre"),
        ]
    ),
}  # fmt: skip


def gains_section(found: Findings) -> Html:
    """Return a forest plot for each fraction, the tests behind it, and the leading arm against the controls."""
    if not found.comparisons:
        return paragraph("No arm was compared with the reference.")
    study, metric = found.study, found.metric
    explained = paragraph(
        f"Each arm against “{study.reference}”, the same patients scored by both: mean gain in {metric.title} over "
        f"patients, so that more is better. Its interval holds what the choice of patients, the seeds of training and "
        f"the folds do to it. Less than {study.smallest_effect:g} was declared not to matter."
    )
    fractions = dict.fromkeys(one.fraction for one in found.comparisons)
    plots = [_forest(found, fraction) for fraction in fractions]
    return join([explained, legend(dict(_MARKS)), *plots, _tests(found), _controls(found)])


def _forest(found: Findings, fraction: float) -> Html:
    least = found.study.smallest_effect
    rows = [
        IntervalRow(
            label=one.arm,
            value=one.gain,
            interval=one.effect.interval(LEVEL),
            band=(-least, least),
            centre=0.0,
            note=one.verdict,
        )
        for one in found.comparisons
        if one.fraction == fraction
    ]
    unit = f", {found.metric.unit}" if found.metric.unit else ""
    return interval_plot(rows, f"Gain in {found.metric.title}{unit}, {of_real_data(fraction)}", "more is better")


def _tests(found: Findings) -> Html:
    columns: dict[str, ColumnKind] = {"Arm": "text", "Gain": "number", "Bootstrap": "number", "Verdict": "text"}
    columns |= {"p": "number", "p, alike": "number", "p, ranks": "number"}
    columns |= {"Patients": "number", "Power": "number", "Needed": "number"}
    rows = [_test_row(found, *pair) for pair in zip(found.comparisons, found.bootstrap, strict=True)]
    caption = (
        "Tests of all arms. p: of no difference; p, alike: of one that matters; p, ranks: of Wilcoxon’s test; all "
        "corrected by Holm over these rows. Power: to find the smallest effect that matters, were it there; needed: "
        "patients for 80 %"
    )
    return table(columns, rows, caption)


def _test_row(found: Findings, one: Comparison, bootstrap: tuple[float, float]) -> list[str | Cell]:
    return [
        Cell(one.arm, of_real_data(one.fraction)),
        _gain_cell(one),
        format_range(*bootstrap),
        one.verdict,
        p_text(one.p),
        p_text(one.p_equivalent),
        p_text(one.p_signed_rank),
        Cell(format_number(one.effect.patients), f"{sum(map(len, one.differences.seeds))} trainings"),
        percent(one.power),
        "none is enough" if one.patients_needed is None else format_number(one.patients_needed),
    ]


def _gain_cell(one: Comparison) -> Cell:
    ends = one.effect.interval(LEVEL)
    return Cell(signed(one.gain, ends[1] - ends[0] if ends else None), format_range(*ends) if ends else "no interval")


def _controls(found: Findings) -> Html:
    if not found.against_controls or found.lead is None:
        return Html()
    columns: dict[str, ColumnKind] = {"Against": "text", "Gain": "number", "p": "number", "Verdict": "text"}
    rows: list[list[str | Cell]] = [
        [control, _gain_cell(one), p_text(one.p), one.verdict] for control, one in found.against_controls
    ]
    heading = element("h3", f"“{found.lead.arm}” against the controls")
    said = paragraph("Where a control does as well, the gain is not due to new clips. Each p-value stands for itself.")
    return join([heading, said, table(columns, rows, f"Paired gains, {of_real_data(found.lead.fraction)}")])


def means_section(found: Findings) -> Html:
    """Return the means of all arms by all metrics, baselines among them, a table for each fraction."""
    metrics = [name for name in METRICS if any(mean.metric == name for mean in found.means)]
    fractions = dict.fromkeys(mean.fraction for mean in found.means)
    parts = [
        paragraph(
            "Means over patients, whatever the other arms do, with intervals. A structure that is missed counts as a "
            "miss in every one of them. Baselines look at no picture: what they reach is not an achievement. Only "
            f"{found.metric.title} decides; the others are shown to be read with it. Outlines agree within "
            f"{found.study.surface_tolerance:g} px."
        )
    ]
    parts += [_means_table(found, fraction, metrics) for fraction in fractions]
    return join(parts)


def _means_table(found: Findings, fraction: float, metrics: Sequence[str]) -> Html:
    arms = [arm for arm in found.study.arms if any((m.arm, m.fraction) == (arm.name, fraction) for m in found.means)]
    kinds: dict[str, ColumnKind] = {_head(name): "number" for name in metrics}
    columns: dict[str, ColumnKind] = {"Arm": "text", **kinds}
    cells = [[_mean_cell(found, arm.name, fraction, name) for name in metrics] for arm in arms]
    rows = [[Cell(arm.name, arm.kind), *row] for arm, row in zip(arms, cells, strict=True)]
    faded = [place for place, arm in enumerate(arms) if arm.kind == "baseline"]
    return table(columns, rows, f"All arms {of_real_data(fraction)}", faded)


def _head(name: str) -> str:
    return f"{unit_text(METRICS[name])} {'↑' if METRICS[name].higher_is_better else '↓'}"


def _mean_cell(found: Findings, arm: str, fraction: float, metric: str) -> Cell:
    mean = found.mean_of(arm, fraction, metric)
    ends = mean.interval if mean else None
    return Cell(mean_text(mean), format_range(*ends) if ends else "")
