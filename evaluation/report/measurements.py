# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Distributions of the properties of clips, and how distances answer to corruptions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from monai_feat.visualize import Axis, Html, Line, Series, element, format_number, join, legend, line_panel, paragraph

from ..results import Curve, Distribution, Score
from .score_text import SERIES, SIDES, count, join_words

__all__ = ["curves_section", "distributions_section"]

_SHORT = {"train": "training", "held_out": "held out", "fake": "synthetic"}


def distributions_section(distributions: Sequence[Distribution]) -> Html:
    """Return a panel for each property, with the cumulative share of clips on each side."""
    explained = paragraph(
        "Each line is the share of clips whose value is at most x. Where the lines lie on each other, the sides agree; "
        "a line further to the right means larger values, a steeper one less variety."
    )
    entries: dict[str, Html | Series] = {name: SERIES[side] for side, name in SIDES.items()}
    panels = [_distribution(distribution) for distribution in distributions]
    return join([explained, legend(entries), element("div", *panels, class_="grid")])


def _distribution(distribution: Distribution) -> Html:
    sides = {side: getattr(distribution, side) for side in SIDES}
    finite = {side: [value for value in values if math.isfinite(value)] for side, values in sides.items()}
    medians = [f"{_SHORT[side]} {format_number(median(found))}" for side, found in finite.items() if found]
    lost = sum(len(values) for values in sides.values()) - sum(len(found) for found in finite.values())
    note = f"Median: {', '.join(medians)}." + (f" {count(lost, 'clip')} could not be measured." if lost else "")
    lines = [Line.cumulative(SIDES[side], found, SERIES[side]) for side, found in finite.items() if found]
    if not lines:
        caption = element("figcaption", element("b", distribution.title), ". No clip could be measured.")
        return element("figure", caption)
    label = distribution.unit or "no unit"
    return line_panel(lines, distribution.title, label, note, y_axis=Axis(0.0, 1.0))


def curves_section(curves: Sequence[Curve], scores: Sequence[Score]) -> Html:
    """Return a panel for each corruption and distance; panels of one distance share their vertical axis."""
    titles = {score.metric: score.title for score in scores}
    explained = paragraph(
        "Real clips of this data set were damaged on purpose, more and more, and scored as if they were synthetic. A "
        "distance is of use for a kind of damage where it rises with the damage. Severity 0 is the floor."
    )
    groups = {curve.metric: [other for other in curves if other.metric == curve.metric] for curve in curves}
    return join([explained, *(_metric(titles.get(metric, _plain(metric)), group) for metric, group in groups.items())])


def _metric(title: str, curves: Sequence[Curve]) -> Html:
    up = Axis.around((value for curve in curves for value in curve.values), with_zero=True)
    panels = [_curve(curve, up) for curve in curves]
    missed = [_plain(curve.corruption) for curve in curves if not curve.monotone]
    seen = f"It rises with {len(curves) - len(missed)} of {len(curves)} corruptions"
    summary = f"{seen}; not at every step with {join_words(missed)}." if missed else f"{seen}."
    scale = " Logarithmic vertical axis." if up.is_log else ""
    grid = element("div", *panels, class_="grid small")
    return join([element("h3", title), paragraph(summary + scale, aside=True), grid])


def _curve(curve: Curve, up: Axis) -> Html:
    line = Line(_plain(curve.corruption), curve.levels, curve.values, "third" if curve.monotone else "first", dots=True)
    note = "" if curve.monotone else "does not rise at every step"
    return line_panel([line], _plain(curve.corruption), "severity", note, y_axis=up)


def _plain(key: str) -> str:
    return key.replace("_", " ")
