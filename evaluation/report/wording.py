# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Words and colours that all parts of the report share."""

from __future__ import annotations

from monai_feat.visualize import Series, format_number, format_range

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


def count(number: int, noun: str) -> str:
    """Return a number and its noun.

    Example:
        >>> count(1, "clip"), count(2, "copy")
        ('1 clip', '2 copies')
    """
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{format_number(number)} {noun if number == 1 else plural}"


def percent(share: float) -> str:
    r"""Return a share in per cent.

    Example:
        >>> percent(0.95), percent(0.0483)
        ('95\xa0%', '4.8\xa0%')
    """
    digits = 2 if share < 0.995 else 3
    return f"{100 * share:.{digits}g}\N{NO-BREAK SPACE}%"


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


def join_words(words: list[str]) -> str:
    """Return a list as people say it.

    Example:
        >>> join_words(["blur", "noise", "freeze"])
        'blur, noise and freeze'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
