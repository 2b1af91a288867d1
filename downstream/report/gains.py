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
    count,
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

from ..metric_table import METRICS
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
    """Return a forest plot for each fraction, the numbers behind it, and what was asked against the controls."""
    if not found.comparisons:
        return paragraph("No arm was compared with the reference.")
    study, metric = found.study, found.metric
    explained = paragraph(
        f"Each arm against “{study.reference}”, the same patients scored by both: mean gain in {metric.title} over "
        "folds, so that more is better. All intervals of a table hold together in 95 % of such studies, and each "
        f"verdict is read from its interval. Less than {study.smallest_effect:g} was declared not to matter."
    )
    fractions = dict.fromkeys(one.fraction for one in found.comparisons)
    plots = [_forest(found, fraction) for fraction in fractions]
    tables = [
        _answers(found, found.declared, "What was asked"),
        _answers(found, found.others, "Not asked, for a look around"),
    ]
    return join([explained, legend(dict(_MARKS)), *plots, *tables, _controls(found)])


def _forest(found: Findings, fraction: float) -> Html:
    rows = [
        IntervalRow(
            label=one.arm if one.question.against == found.study.reference else f"{one.arm} − {one.question.against}",
            value=one.gain,
            interval=one.simultaneous,
            band=(-one.margin, one.margin),
            centre=0.0,
            note=_told(one),
        )
        for one in found.comparisons
        if one.fraction == fraction
    ]
    unit = f", {found.metric.unit}" if found.metric.unit else ""
    return interval_plot(rows, f"Gain in {found.metric.title}{unit}, {of_real_data(fraction)}", "more is better")


def _told(one: Comparison) -> str:
    return "no verdict" if one.refused else one.verdict


def _answers(found: Findings, family: Sequence[Comparison], title: str) -> Html:
    if not family:
        return Html()
    columns: dict[str, ColumnKind] = {"Arm": "text", "Asked": "text", "Verdict": "text", "Gain": "number"}
    columns |= {"By itself": "number", "p": "number", "Patients": "number", "Power": "number", "Needed": "number"}
    together = f" All {len(family)} intervals of gains hold together; p is times {len(family)}." if family[1:] else ""
    caption = (
        f"{title}.{together} By itself: the interval of this arm alone. p: of no difference. Power: to show the "
        "smallest difference that matters; needed: patients for a power of 80 %, in as many folds, – if none is enough"
    )
    return table(columns, [_answer_row(found, one) for one in family], caption)


def _answer_row(found: Findings, one: Comparison) -> list[str | Cell]:
    alone = one.effect.interval(LEVEL)
    trainings = f"{count(len(one.differences.folds), 'fold')}, {sum(map(len, one.differences.seeds))} trainings"
    against = "" if one.question.against == found.study.reference else f", against {one.question.against}"
    return [
        Cell(one.arm, of_real_data(one.fraction) + against),
        Cell(one.question.ask, f"margin {one.margin:g}"),
        Cell(_told(one), one.refused),
        _gain_cell(one),
        format_range(*alone) if alone else "–",
        p_text(one.p),
        Cell(format_number(one.effect.patients), trainings),
        "–" if one.refused else percent(one.power),
        "–" if one.patients_needed is None else format_number(one.patients_needed),
    ]


def _gain_cell(one: Comparison) -> Cell:
    ends = one.simultaneous
    return Cell(signed(one.gain, ends[1] - ends[0] if ends else None), format_range(*ends) if ends else "no interval")


def _controls(found: Findings) -> Html:
    if not found.against_controls:
        return Html()
    columns: dict[str, ColumnKind] = {"Arm": "text", "Against": "text", "Gain": "number", "Verdict": "text"}
    rows: list[list[str | Cell]] = [
        [Cell(one.arm, of_real_data(one.fraction)), one.question.against, _gain_cell(one), _told(one)]
        for one in found.against_controls
    ]
    heading = element("h3", "What was asked, against the controls")
    said = paragraph(
        "A gain is due to new clips only where it beats each control. Each row is tested for itself, because all of "
        "them have to hold."
    )
    return join([heading, said, table(columns, rows, "Paired gains over controls, with 95 % intervals")])


def means_section(found: Findings) -> Html:
    """Return the means of all arms by all metrics, baselines among them, a table for each fraction."""
    metrics = [name for name in METRICS if any(mean.metric == name for mean in found.means)]
    fractions = dict.fromkeys(mean.fraction for mean in found.means)
    parts = [
        paragraph(
            "Means over folds, whatever the other arms do; intervals are over other patients, for these networks, and "
            "do not tell arms apart. A structure that is missed counts as a "
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
