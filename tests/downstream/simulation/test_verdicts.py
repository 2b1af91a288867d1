# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from downstream.simulation.laws import Design
from downstream.simulation.verdicts import GAINS, SMALLEST_EFFECT, simulate_verdicts
from downstream.statistics import detection_power
from downstream.statistics.effect import Effect


def test_gains_are_found_as_often_as_the_power_says() -> None:
    """By the noncentral t, from the standard deviations of the simulation: 0.03, 0.005, 0.01 and 0.04 of Dice."""
    design = Design(5, 20, 3)
    rows = simulate_verdicts(design, 3000, seed=0)
    parts = (0.03**2 / 100 + 0.04**2 / 300, 0.01**2 / 15, 0.005**2 / 5)
    effect = Effect(0.0, (), *parts, patients=100, folds=5)
    for row in rows:
        alpha = 0.05 / row["family"]
        if (row["ask"], row["gain"]) == ("benefit", 0.04):
            assert row["verdicts"]["helps"] == pytest.approx(detection_power(effect, 0.04, alpha), abs=0.02)
        if (row["ask"], row["gain"]) == ("non-inferiority", 0.0):
            good = row["verdicts"].get("not worse", 0) + row["verdicts"].get("helps", 0)
            assert good == pytest.approx(detection_power(effect, SMALLEST_EFFECT, alpha), abs=0.03)
        if (row["ask"], row["gain"]) == ("non-inferiority", -0.02):
            assert row["verdicts"].get("not worse", 0) < 0.04
    assert [(row["gain"], row["ask"]) for row in rows] == 2 * list(GAINS)
    assert all(sum(row["verdicts"].values()) == pytest.approx(1, abs=1e-3) for row in rows)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 study"):
        simulate_verdicts(Design(2, 10, 2), 0, 0)
