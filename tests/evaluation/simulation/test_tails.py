# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Under heavy tails an interval is refused, and where there are none it is given and holds."""

from __future__ import annotations

import math

import pytest

from evaluation.scoring.estimates import Estimate
from evaluation.simulation.tails import LAWS, main, share_held, simulate_tails


def test_intervals_are_given_for_normal_features_and_mostly_refused_for_heavy_tails() -> None:
    given = {law: [is_given for _, is_given in simulate_tails("frechet", law, 48, 48, 30)] for law in LAWS}
    assert sum(given["mean"]) == 30
    assert sum(given["heavier tails"]) <= 10
    assert sum(given["outlying patients"]) <= 6


def test_the_kernel_distance_keeps_its_interval() -> None:
    trials = simulate_tails("kernel", "heavier tails", 48, 48, 30)
    assert all(is_given for _, is_given in trials)


def test_the_share_that_holds_is_counted() -> None:
    estimates = [Estimate(value, (1.0,), (10,)) for value in (0.0, 2.0, 4.0)]  # half-width 2.26
    assert share_held("kernel", estimates, 1.0) == pytest.approx(2 / 3)
    assert math.isnan(share_held("kernel", [], 1.0))


def test_the_table_has_a_row_for_each_law(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replicates", "2", "--quiet"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + 2 * len(LAWS)
