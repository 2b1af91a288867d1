# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from downstream.questions import Ask
from downstream.statistics import VERDICTS, Differences, judge, why_not


@pytest.mark.parametrize(
    ("interval", "verdict", "asked_for_non_inferiority"),
    [
        ((0.01, 0.05), "helps", "helps"),
        ((0.03, 0.05), "helps", "helps"),
        ((-0.05, -0.01), "harms", "harms"),
        ((-0.05, -0.03), "harms", "harms"),
        ((0.001, 0.01), "no relevant difference", "helps"),
        ((-0.01, -0.001), "no relevant difference", "not worse"),
        ((-0.01, 0.01), "no relevant difference", "not worse"),
        ((-0.01, 0.05), "cannot be told", "not worse"),
        ((-0.05, 0.01), "cannot be told", "cannot be told"),
        ((-0.02, 0.01), "cannot be told", "cannot be told"),  # a bound that is touched is not excluded
    ],
)
def test_verdicts(interval: tuple[float, float], verdict: str, asked_for_non_inferiority: str) -> None:
    assert judge(interval, 0.02) == judge(interval, 0.02, "equivalence") == verdict
    assert judge(interval, 0.02, "non-inferiority") == asked_for_non_inferiority
    assert {verdict, asked_for_non_inferiority} <= set(VERDICTS)


@pytest.mark.parametrize("ask", ["benefit", "non-inferiority", "equivalence"])
def test_no_verdict_is_against_the_interval(ask: Ask) -> None:
    """Every true gain within the interval agrees with what is said."""
    rng = np.random.default_rng(0)
    holds = {
        "helps": lambda low, high: low > 0,
        "harms": lambda low, high: high < 0,
        "no relevant difference": lambda low, high: max(-low, high) < 0.02,
        "not worse": lambda low, high: low > -0.02,
        "cannot be told": lambda low, high: low <= 0 <= high,
    }
    for low, high in np.sort(rng.normal(0, 0.03, (500, 2)), axis=1):
        assert holds[judge((low, high), 0.02, ask)](low, high)


def study(folds: int, patients: int) -> Differences:
    names = tuple(tuple(f"{fold}-{patient}" for patient in range(patients)) for fold in range(folds))
    blocks = tuple(np.zeros((patients, 1)) for _ in range(folds))
    return Differences("a", "dice", 1.0, tuple(range(folds)), names, ((0,),) * folds, blocks)


def test_designs_that_break_their_promise_are_refused() -> None:
    assert why_not(study(2, 10)) == ""
    assert why_not(study(1, 150)).startswith("one fold was tested")
    assert why_not(study(5, 9)).startswith("a fold has 9 patients")
