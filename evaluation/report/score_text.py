# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Words and colours that all parts of the report share."""

from __future__ import annotations

from monai_feat.visualize import Series, count, format_number, format_range, join_words, percent

from ..results import Interval

__all__ = [
    "SERIES",
    "SIDES",
    "count",
    "interval_text",
    "join_words",
    "number_within",
    "percent",
    "range_text",
    "side_name",
]

_VISIBLE = 0.1  # of the width of an interval: how far off its centre a value must lie to be told
SIDES = {"train": "Real, training", "held_out": "Real, held out", "fake": "Synthetic"}
SERIES: dict[str, Series] = {"fake": "first", "train": "second", "held_out": "third"}


def side_name(side: str) -> str:
    """Return how the report calls a side; one it does not know keeps its name."""
    return SIDES.get(side, side)


def range_text(interval: Interval) -> str:
    """Return the two ends of an interval."""
    return format_range(interval.low, interval.high)


def interval_text(interval: Interval, value: float) -> str:
    """Return the ends of an interval, and what it lies around where that is clearly not the value itself."""
    if interval.centre is None or abs(interval.centre - value) < _VISIBLE * (interval.high - interval.low):
        return range_text(interval)
    return f"{range_text(interval)}, around {number_within(interval.centre, interval)}"


def number_within(value: float | None, interval: Interval | None) -> str:
    """Return a number as precisely as the interval around it allows."""
    return format_number(value, width=interval.high - interval.low if interval else None)
