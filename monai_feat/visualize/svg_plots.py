# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Plots as inline SVG that are as wide as the page gives them room, while their text keeps its size.

Places are per cent of the plot, sizes are pixels: that is what lets one plot fit a desk and a phone. Colours come from
the style of the page, so plots follow its light and dark scheme.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np

from monai_feat.visualize.markup import Html, element, format_number, format_range
from monai_feat.visualize.plot_axis import Axis

__all__ = ["IntervalRow", "Line", "Series", "interval_plot", "legend", "line_panel"]

Series = Literal["first", "second", "third"]
"""How a line looks: ``first`` is vermillion, ``second`` grey and dashed, ``third`` blue."""

_MOST_POINTS = 200  # of one line


@dataclass(frozen=True)
class IntervalRow:
    """One estimate of an `interval_plot`.

    Attributes:
        label: left of it.
        value: the estimate; may be not finite, then nothing is drawn but the text.
        interval: of the estimate.
        middle: of the interval, where that does not lie around the estimate; a tick.
        band: a range to compare it with, shaded.
        centre: of the band, a line.
        mark: another value to compare it with, a dotted line.
        faded: whether the number must not be read; drawn hollow and grey.
        note: below the number.
    """

    label: str
    value: float
    interval: tuple[float, float] | None = None
    middle: float | None = None
    band: tuple[float, float] | None = None
    centre: float | None = None
    mark: float | None = None
    faded: bool = False
    note: str = ""

    def reach(self) -> tuple[float | None, ...]:
        """Return all values that the axis must hold."""
        return (self.value, self.middle, self.centre, self.mark, *(self.interval or ()), *(self.band or ()))


def interval_plot(rows: Sequence[IntervalRow], title: str, note: str = "", with_zero: bool = True) -> Html:
    """Draw estimates with their intervals over one axis, each before the band that it is compared with.

    Args:
        rows: from top to bottom.
        title: of the plot.
        note: beside the title, such as which direction is better.
        with_zero: whether a linear axis must reach zero.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError(f"{title!r}: expected at least one row, got none")
    axis = Axis.around([value for row in rows for value in row.reach()], with_zero)
    ticks = axis.ticks()
    labels = [
        element("text", _tick(tick), x=f"{axis.place(tick):.3f}%", y=16, text_anchor=_anchor(axis.place(tick)))
        for tick in ticks
    ]
    scale = element("svg", _line("0", "0.5", "100%", "0.5", "base"), *labels, class_="strip", aria_hidden="true")
    is_empty = not any(_interval_shapes(row, axis, ticks) for row in rows)
    return element(
        "figure",
        element("figcaption", element("b", title), note, "; logarithmic axis" * axis.is_log),
        *(_interval_row(row, axis, ticks) for row in rows),
        Html() if is_empty else element("div", element("span"), scale, element("span"), class_="row axis"),
        class_="intervals panel",
    )


def _interval_row(row: IntervalRow, axis: Axis, ticks: Sequence[float]) -> Html:
    number = format_number(row.value, width=row.interval and row.interval[1] - row.interval[0])
    within = f" ({format_range(*row.interval)})" if row.interval else ""
    shapes = _interval_shapes(row, axis, ticks)
    return element(
        "div",
        element("span", row.label),
        element("svg", *shapes, class_="strip", role="img", aria_label=_spoken(row)) if shapes else element("span"),
        element("span", number if row.faded else element("b", number), element("small", within)),
        element("small", row.note, class_="note") if row.note else Html(),
        class_="row faded" if row.faded else "row",
    )


def _interval_shapes(row: IntervalRow, axis: Axis, ticks: Sequence[float]) -> list[Html]:
    """What stands in a row, from back to front; nothing where there is no finite value."""
    found = [*_band(row, axis), *_estimate(row, axis)]
    return [*(_upright(axis, tick, "rule") for tick in ticks), *found] if found else []


def _band(row: IntervalRow, axis: Axis) -> list[Html]:
    shapes = []
    if row.band and _is_finite(*row.band):
        left, right = (axis.place(value) for value in row.band)
        shapes.append(
            element("rect", x=f"{left:.3f}%", y="12%", width=f"{right - left:.3f}%", height="76%", class_="band")
        )
    for value, class_ in ((row.centre, "centre"), (row.mark, "mark")):
        if value is not None and _is_finite(value):
            shapes.append(_upright(axis, value, class_, "12%", "88%"))
    return shapes


def _estimate(row: IntervalRow, axis: Axis) -> list[Html]:
    shapes = []
    if row.interval and _is_finite(*row.interval):
        left, right = (f"{axis.place(value):.3f}%" for value in row.interval)
        shapes.append(_line(left, "50%", right, "50%", "whisker"))
        upright = (*row.interval, row.middle) if row.middle is not None else row.interval
        shapes += [_upright(axis, value, "whisker", "36%", "64%") for value in upright]
    if _is_finite(row.value):
        shapes.append(element("circle", cx=f"{axis.place(row.value):.3f}%", cy="50%", r=5, class_="estimate"))
    return shapes


def _is_finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)


def _spoken(row: IntervalRow) -> str:
    parts = [f"{row.label}: {format_number(row.value)}"]
    if row.interval:
        parts.append(f"interval {format_range(*row.interval)}")
    if row.band:
        parts.append(f"compared with {format_range(*row.band)}")
    elif row.centre is not None:
        parts.append(f"compared with {format_number(row.centre)}")
    return ", ".join([*parts, *(["not meaningful"] if row.faded else [])])


@dataclass(frozen=True)
class Line:
    """One line of a `line_panel`: its points, how it looks, and an interval around each point, or around none."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    series: Series = "first"
    dots: bool = False
    intervals: tuple[tuple[float, float], ...] = ()

    @classmethod
    def cumulative(cls, label: str, values: Sequence[float], series: Series) -> Line:
        """Return the share of values at or below x, the empirical distribution function, in at most 200 steps.

        Args:
            label: of the line.
            values: at least one, all finite.
            series: how the line looks.

        Raises:
            ValueError: there are no values, or some are not finite.
        """
        ordered = np.sort(np.asarray(values, dtype=np.float64))
        if ordered.size == 0 or not np.isfinite(ordered).all():
            raise ValueError(f"{label!r}: expected finite values, got {len(values)}, some of them none")
        shares = np.arange(1, ordered.size + 1) / ordered.size
        kept = np.unique(np.linspace(0, ordered.size - 1, min(_MOST_POINTS, ordered.size)).round().astype(int))
        ordered, shares = ordered[kept], shares[kept]
        x = np.repeat(ordered, 2)
        y = np.append(0.0, np.repeat(shares, 2)[:-1])
        return cls(label, tuple(x.tolist()), tuple(y.tolist()), series)


def line_panel(
    lines: Sequence[Line],
    title: str,
    x_label: str,
    note: str = "",
    x_axis: Axis | None = None,
    y_axis: Axis | None = None,
    x_names: Mapping[float, str] | None = None,
) -> Html:
    """Draw lines over common axes.

    Args:
        lines: at least one; lines with dots show each point.
        title: above.
        x_label: below the axis.
        note: under the title.
        x_axis: for panels that share one; by default around the lines.
        y_axis: likewise.
        x_names: what stands at some places of the horizontal axis, instead of numbers.

    Raises:
        ValueError: there are no lines, or a line has some intervals, but not one for each point.
    """
    if wrong := [line.label for line in lines if line.intervals and len(line.intervals) != len(line.x)]:
        raise ValueError(f"{title!r}: expected an interval for each point or none, not so in {wrong}")
    if not lines:
        raise ValueError(f"{title!r}: expected at least one line, got none")
    across = x_axis or Axis.around(value for line in lines for value in line.x)
    up = y_axis or Axis.around(value for line in lines for value in (*line.y, *chain(*line.intervals)))
    names = x_names if x_names is not None else {tick: _tick(tick) for tick in across.ticks(3)}
    shapes = [*_grid(across, up, x_label, names), element(
        "svg",
        *(_polyline(line, across, up) for line in lines),
        viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%", overflow="visible",
    )]  # fmt: skip
    shapes += [whisker for line in lines for whisker in _whiskers(line, across, up)]
    shapes += [dot for line in lines if line.dots for dot in _dots(line, across, up)]
    spoken = f"{title}, {x_label}: " + "; ".join(line.label for line in lines)
    return element(
        "figure",
        element("figcaption", element("b", title), note),
        element("svg", *shapes, class_="plot", role="img", aria_label=spoken),
        class_="panel",
    )


def legend(entries: Mapping[str, Html | Series]) -> Html:
    """Return what the marks of a plot mean.

    Args:
        entries: label, and the series that it names or a picture of the mark, drawn 26 pixels wide and 12 high.
    """
    items = [element("li", element("svg", _sample(mark), aria_hidden="true"), label) for label, mark in entries.items()]
    return element("ul", *items, class_="legend")


def _sample(mark: Html | Series) -> Html:
    return mark if isinstance(mark, Html) else _line("0", "6", "26", "6", f"line {mark}")


def _grid(across: Axis, up: Axis, x_label: str, names: Mapping[float, str]) -> list[Html]:
    shapes = []
    for tick in up.ticks(3):
        height = f"{100 - up.place(tick):.3f}%"
        shapes.append(_line("0", height, "100%", height, "rule"))
        shapes.append(element("text", _tick(tick), x=-8, y=height, dy=4, text_anchor="end"))
    for tick, name in names.items():
        left = across.place(tick)
        shapes.append(_line(f"{left:.3f}%", "100%", f"{left:.3f}%", "103%", "base"))
        shapes.append(element("text", name, x=f"{left:.3f}%", y="100%", dy=18, text_anchor="middle"))
    shapes.append(_line("0", "100%", "100%", "100%", "base"))
    shapes.append(element("text", x_label, x="50%", y="100%", dy=33, text_anchor="middle"))
    return shapes


def _polyline(line: Line, across: Axis, up: Axis) -> Html:
    points = " ".join(f"{across.place(x):.2f},{100 - up.place(y):.2f}" for x, y in _finite(line))
    return element("polyline", points=points, class_=f"line {line.series}")


def _whiskers(line: Line, across: Axis, up: Axis) -> list[Html]:
    shapes = []
    for x, ends in zip(line.x, line.intervals, strict=False):
        if _is_finite(x, *ends):
            left, (low, high) = f"{across.place(x):.2f}%", (f"{100 - up.place(end):.2f}%" for end in ends)
            shapes.append(_line(left, low, left, high, f"line {line.series}"))
    return shapes


def _dots(line: Line, across: Axis, up: Axis) -> list[Html]:
    return [
        element(
            "circle", cx=f"{across.place(x):.2f}%", cy=f"{100 - up.place(y):.2f}%", r=3, class_=f"dot {line.series}"
        )
        for x, y in _finite(line)
    ]


def _finite(line: Line) -> list[tuple[float, float]]:
    return [(x, y) for x, y in zip(line.x, line.y, strict=True) if _is_finite(x, y)]


def _upright(axis: Axis, value: float, class_: str, top: str = "0", bottom: str = "100%") -> Html:
    left = f"{axis.place(value):.3f}%"
    return _line(left, top, left, bottom, class_)


def _line(x1: str, y1: str, x2: str, y2: str, class_: str) -> Html:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def _tick(value: float) -> str:
    written = f"{value:.4g}"
    return written.replace("-", "−") if "e" not in written else format_number(value, 1)


def _anchor(place: float) -> str:
    return "start" if place < 3 else "end" if place > 97 else "middle"
