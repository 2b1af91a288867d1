# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import pytest

from monai_feat.visualize.plot_axis import Axis


@pytest.mark.parametrize("values", [[0.2, 0.3], [-3.0, 5.0], [1.0, 5000.0], [7.0], [0.0], [1e-9, 2e-9]])
@pytest.mark.parametrize("with_zero", [False, True])
def test_all_values_lie_within_in_their_order(values: list[float], with_zero: bool) -> None:
    axis = Axis.around(values, with_zero)
    assert axis.low <= min(values) <= max(values) <= axis.high
    places = [axis.place(value) for value in np.linspace(min(values), max(values), 5)]
    assert places == sorted(places)
    assert all(axis.low - 1e-9 <= tick <= axis.high + 1e-9 for tick in axis.ticks())
    assert 1 <= len(axis.ticks()) <= 8


def test_places_agree_with_interpolation() -> None:
    linear, log = Axis(-2.0, 6.0), Axis(0.1, 1000.0, is_log=True)
    values = np.array([-2.0, 0.0, 1.5, 6.0])
    assert [linear.place(value) for value in values] == pytest.approx(np.interp(values, [-2, 6], [0, 100]).tolist())
    assert [log.place(10.0**power) for power in (-1, 0, 1, 3)] == pytest.approx([0, 25, 50, 100])
    assert (linear.place(-9.0), linear.place(9.0), log.place(-1.0)) == (0, 100, 0)


def test_zero_is_an_edge_where_it_is_asked_for() -> None:
    assert Axis.around([2.0, 4.0], with_zero=True).low == 0
    assert Axis.around([-4.0, -2.0], with_zero=True).high == 0
    assert Axis.around([2.0, 4.0]).low > 1.5


def test_wide_positive_values_get_a_logarithmic_axis() -> None:
    assert Axis.around([1.0, 100.0]).is_log
    assert not Axis.around([1.0, 10.0]).is_log
    assert not Axis.around([-1.0, 100.0]).is_log


def test_missing_values_are_left_out() -> None:
    axis = Axis.around([None, math.nan, math.inf, 3.0, 4.0])
    assert 2.5 < axis.low < axis.high < 4.5
    assert Axis.around([]).low < 0 < 1 < Axis.around([math.nan]).high
