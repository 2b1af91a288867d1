# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from monai_feat.visualize import Axis, Html, IntervalRow, Line, element, interval_plot, legend, line_panel


def parsed(markup: Html) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def places(root: ElementTree.Element, tag: str, class_: str, attribute: str) -> list[float]:
    found = [item.get(attribute, "") for item in root.iter(tag) if item.get("class") == class_]
    return [float(value.removesuffix("%")) for value in found]


def test_an_interval_lies_where_its_values_lie() -> None:
    row = IntervalRow("a", 6.0, interval=(5.0, 8.0), band=(1.0, 3.0), centre=2.0, mark=1.5)
    root = parsed(interval_plot([row], "title"))
    axis = Axis.around([0.0, 8.0], with_zero=True)
    assert places(root, "circle", "estimate", "cx") == pytest.approx([axis.place(6.0)], abs=1e-3)
    assert places(root, "line", "whisker", "x1")[0] == pytest.approx(axis.place(5.0), abs=1e-3)
    assert places(root, "line", "whisker", "x2")[0] == pytest.approx(axis.place(8.0), abs=1e-3)
    assert places(root, "rect", "band", "width") == pytest.approx([axis.place(3.0) - axis.place(1.0)], abs=1e-3)
    assert places(root, "line", "centre", "x1") == pytest.approx([axis.place(2.0)], abs=1e-3)
    assert places(root, "line", "mark", "x1") == pytest.approx([axis.place(1.5)], abs=1e-3)


def test_rows_of_a_plot_share_an_axis() -> None:
    root = parsed(interval_plot([IntervalRow("a", 2.0), IntervalRow("b", 4.0)], "title"))
    first, second = places(root, "circle", "estimate", "cx")
    assert second == pytest.approx(2 * first, abs=1e-2)


def test_plots_tell_what_they_show_to_those_who_do_not_see_it() -> None:
    row = IntervalRow("against <b>", 6.0, interval=(5.0, 8.0), band=(1.0, 3.0), faded=True, note="too few")
    root = parsed(interval_plot([row], "title"))
    (label,) = [item.get("aria-label") for item in root.iter("svg") if item.get("role") == "img"]
    assert label == "against <b>: 6.00, interval 5.0 to 8.0, compared with 1.0 to 3.0, not meaningful"
    assert "too few" in "".join(root.itertext())


def test_a_value_that_is_not_finite_is_written_and_not_drawn() -> None:
    row = IntervalRow("a", math.nan, interval=(math.nan, 1.0), band=(math.inf, 1.0), centre=math.nan)
    root = parsed(interval_plot([row], "title"))
    assert "not a number" in "".join(root.itertext())
    assert not list(root.iter("svg"))


def test_a_cumulative_line_is_the_share_of_values_at_or_below() -> None:
    values = np.random.default_rng(0).normal(size=57)
    line = Line.cumulative("a", values.tolist(), "first")
    steps = dict(zip(line.x, line.y, strict=True))  # the last of two equal places is the upper end of a step
    assert [steps[value] for value in values] == pytest.approx([(values <= value).mean() for value in values])


def test_a_long_cumulative_line_is_thinned_and_stays_true() -> None:
    values = np.random.default_rng(0).normal(size=20_000)
    line = Line.cumulative("a", values.tolist(), "first")
    assert len(line.x) <= 400
    assert (line.x[0], line.x[-1], line.y[0], line.y[-1]) == (values.min(), values.max(), 0.0, 1.0)
    error = np.interp(values, line.x, line.y) - np.searchsorted(np.sort(values), values, side="right") / len(values)
    assert np.abs(error).max() < 0.006


def test_a_line_runs_through_its_points() -> None:
    line = Line("a", (0.0, 1.0, 2.0), (0.0, math.nan, 4.0), dots=True)
    root = parsed(line_panel([line], "title", "x", x_axis=Axis(0, 2), y_axis=Axis(0, 8)))
    (points,) = [item.get("points") for item in root.iter("polyline")]
    assert points == "0.00,100.00 100.00,50.00"
    assert places(root, "circle", "dot first", "cy") == [100.0, 50.0]


def test_whiskers_stand_where_intervals_end() -> None:
    line = Line("a", (0.0, 1.0), (2.0, 4.0), "third", intervals=((0.0, 4.0), (2.0, math.inf)))
    root = parsed(line_panel([line], "title", "x", y_axis=Axis(0, 8)))
    assert places(root, "line", "line third", "y1") == [100.0]
    assert places(root, "line", "line third", "y2") == [50.0]
    with pytest.raises(ValueError, match=r"an interval for each point or none, not so in \['b'\]"):
        line_panel([Line("b", (0.0, 1.0), (2.0, 4.0), intervals=((0.0, 1.0),))], "title", "x")


def test_places_of_the_axis_can_have_names() -> None:
    root = parsed(line_panel([Line("a", (0.0, 1.0), (2.0, 4.0))], "title", "", x_names={0.0: "before", 1.0: "after"}))
    written = [text.text for text in root.iter("text") if text.get("y") == "100%" and text.get("dy") == "18"]
    assert written == ["before", "after"]


def test_a_legend_shows_series_and_marks() -> None:
    root = parsed(legend({"one": "second", "two & more": element("circle", r=1)}))
    assert [item.get("class") for item in root.iter("line")] == ["line second"]
    assert "two & more" in "".join(root.itertext())


def test_a_plot_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected at least one row"):
        interval_plot([], "title")
    with pytest.raises(ValueError, match="expected at least one line"):
        line_panel([], "title", "x")
    with pytest.raises(ValueError, match="expected finite values"):
        Line.cumulative("a", [], "first")
    with pytest.raises(ValueError, match="expected finite values"):
        Line.cumulative("a", [math.nan], "first")
