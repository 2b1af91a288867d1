# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores against their floors: as a plot, and as a table for each protocol."""

from __future__ import annotations

from collections.abc import Sequence

from monai_feat.visualize import (
    Cell,
    ColumnKind,
    Html,
    IntervalRow,
    bullets,
    element,
    format_number,
    interval_plot,
    join,
    legend,
    notice,
    paragraph,
    table,
)

from ..results import Floor, Interval, Score
from .score_text import count, interval_text, number_within, percent, range_text

__all__ = ["scores_section"]

_BETTER = {True: "higher is better", False: "lower is better", None: "should agree with real clips"}
_AGAINST = {"train": "against training clips", "held_out": "against held-out clips"}
_MARKS: dict[str, Html] = {
    "synthetic clips, with interval": join(
        [
            element("line", x1=0, y1=6, x2=26, y2=6, class_="whisker"),
            element("circle", cx=13, cy=6, r=4.5, class_="estimate"),
        ]
    ),
    "real against other real clips: the floor, with its spread": join(
        [
            element("rect", x=0, y=0, width=26, height=12, class_="band"),
            element("line", x1=13, y1=0, x2=13, y2=12, class_="centre"),
        ]
    ),
    "floor by formula": element("line", x1=13, y1=0, x2=13, y2=12, class_="mark"),
    "must not be read": element(
        "g", element("circle", cx=13, cy=6, r=4.5, class_="estimate"), class_="faded"
    ),
}  # fmt: skip


def scores_section(scores: Sequence[Score]) -> Html:
    """Return the plots and tables of all scores, those of one protocol together, lead scores first."""
    if not scores:
        return paragraph("No scores were computed.")
    protocols = {score.fingerprint: [s for s in scores if s.fingerprint == score.fingerprint] for score in scores}
    parts = [
        paragraph(
            "No distance between finite sets of clips is zero: the floor is what real clips score against other real "
            "clips, at the same number of clips. Only what lies clearly beyond the floor says something about the "
            "synthetic clips."
        ),
        legend(dict(_MARKS)),
    ]
    if len(protocols) > 1:
        warning = "These scores were made by different protocols. Each protocol has its own plots and its own table; "
        parts.append(notice("caution", "Not comparable", paragraph(warning + "do not compare across them.")))
    for fingerprint, found in protocols.items():
        parts += _protocol(fingerprint, found)
    return join(parts)


def _protocol(fingerprint: str, scores: list[Score]) -> list[Html]:
    ordered = sorted(scores, key=lambda score: not _leads(score, scores))
    metrics = dict.fromkeys(score.metric for score in ordered)
    plots = [_plot([score for score in ordered if score.metric == metric]) for metric in metrics]
    first, rest = plots[0], element("div", *plots[1:], class_="grid large")
    named = f"Scores of protocol {fingerprint}" if fingerprint else "Scores"
    notes = _method_notes(ordered)
    return [first, rest, _table(ordered, named), bullets(notes) if notes else Html()]


def _leads(score: Score, scores: Sequence[Score]) -> bool:
    """Whether a score, or its twin against the other reference, leads."""
    return any(other.lead and other.metric == score.metric for other in scores)


def _plot(scores: Sequence[Score]) -> Html:
    first = scores[0]
    is_distance = first.higher_is_better is not None
    rows = [_plot_row(score) for score in scores]
    return interval_plot(rows, _title(first), _BETTER[first.higher_is_better], with_zero=is_distance)


def _plot_row(score: Score) -> IntervalRow:
    floor = score.floor or Floor(None, None, None)
    return IntervalRow(
        label=_AGAINST[score.reference],
        value=score.value,
        interval=_ends(score.interval),
        middle=score.interval.centre if score.interval else None,
        band=_ends(floor.interval),
        centre=floor.measured,
        mark=floor.closed_form,
        faded=not score.meaningful,
        note="" if score.meaningful else f"not meaningful: {score.note}" if score.note else "not meaningful",
    )


def _ends(interval: Interval | None) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval else None


def _table(scores: Sequence[Score], caption: str) -> Html:
    numbers: dict[str, ColumnKind] = {"Value": "number", "Floor": "number", "Floor by formula": "number"}
    sizes: dict[str, ColumnKind] = {"N real": "number", "N synthetic": "number", "D": "number"}
    columns: dict[str, ColumnKind] = {"Score": "text", "Against": "text", **numbers, **sizes, "Note": "wide"}
    faded = [number for number, score in enumerate(scores) if not score.meaningful]
    return table(columns, [_table_row(score) for score in scores], caption, faded)


def _table_row(score: Score) -> list[str | Cell]:
    floor = score.floor or Floor(None, None, None)
    note = score.note if score.meaningful else f"Not meaningful: {score.note}" if score.note else "Not meaningful."
    interval = interval_text(score.interval, score.value) if score.interval else ""
    return [
        Cell(_title(score), _BETTER[score.higher_is_better]),
        "held out" if score.reference == "held_out" else "training",
        Cell(number_within(score.value, score.interval), interval),
        Cell(number_within(floor.measured, floor.interval), range_text(floor.interval) if floor.interval else ""),
        format_number(floor.closed_form),
        format_number(score.num_real),
        format_number(score.num_fake),
        format_number(score.num_features),
        note,
    ]


def _title(score: Score) -> str:
    return f"{score.title}, {score.unit}" if score.unit else score.title


def _method_notes(scores: Sequence[Score]) -> list[str]:
    """How intervals were made and how far they can be trusted, each method once."""
    notes = [_method_note("Intervals", score.interval, "it held the truth") for score in scores if score.interval]
    if any(score.interval and score.interval.centre is not None for score in scores):
        notes.append(
            "A tick inside an interval is the estimate that it lies around. It differs from the score where that is "
            "biased and the interval is not: for want of clips, or because clips come in groups."
        )
    floors = [score.floor for score in scores if score.floor]
    held = "scores of clips like the real ones lay within it"
    notes += [_method_note("Spread of floors", floor.interval, held) for floor in floors if floor.interval]
    notes += [f"Floors: {floor.note}." for floor in floors if floor.note]
    missing = sum(score.interval is None for score in scores)
    if missing:
        notes.append(f"{count(missing, 'score')} without an interval: no method of known coverage applies.")
    return list(dict.fromkeys(notes))


def _method_note(subject: str, interval: Interval, held: str) -> str:
    start = f"{subject}: {percent(interval.level)}, {interval.method}"
    if interval.coverage is None:
        return f"{start}; its coverage was not simulated."
    return f"{start}; in simulation {held} in {percent(interval.coverage)} of the cases."
