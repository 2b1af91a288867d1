# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evaluation.report.score_text import (
    SERIES,
    SIDES,
    count,
    interval_text,
    join_words,
    number_within,
    percent,
    side_name,
)
from evaluation.results import Interval


@pytest.mark.parametrize(("share", "text"), [(0.0, "0 %"), (0.95, "95 %"), (0.9973, "99.7 %"), (1.0, "100 %")])
def test_shares(share: float, text: str) -> None:
    assert percent(share).replace("\N{NO-BREAK SPACE}", " ") == text


def test_an_interval_tells_its_centre_only_where_it_is_elsewhere() -> None:
    around = Interval(1.0, 3.0, 0.95, "jackknife", centre=2.05)
    assert "around" not in interval_text(around, 2.0)
    assert interval_text(around, 1.2).endswith(", around 2.0")
    assert interval_text(Interval(1.0, 3.0, 0.95, "jackknife"), 9.0) == interval_text(around, 2.05)


def test_numbers_are_as_precise_as_their_interval() -> None:
    assert number_within(12.3456, Interval(11.0, 14.0, 0.95, "")) == "12.3"
    assert number_within(12.3456, Interval(12.3, 12.4, 0.95, "")) == "12.346"
    assert number_within(None, None) == "–"


def test_words() -> None:
    assert count(1, "patient") == "1 patient"
    assert count(0, "copy") == "0 copies"
    assert [join_words(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_every_side_has_a_name_and_a_colour_of_its_own() -> None:
    assert set(SIDES) == set(SERIES)
    assert len(set(SERIES.values())) == len(SERIES)
    assert side_name("other") == "other"
