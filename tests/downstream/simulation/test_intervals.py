# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals that are known to hold the truth, or not to, and the vectorised ones against those of a study."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from downstream.simulation.intervals import CELLS, DESIGNS, METHODS, SPREADS, gives_verdicts, simulate_intervals
from downstream.simulation.laws import LAWS, Design, summarise
from downstream.statistics import estimate_effect

BLOCKS = [np.random.default_rng(fold).normal(fold, size=(4, 3)) for fold in range(3)]
WHOLE = summarise([block[None, None] for block in BLOCKS])


@pytest.mark.parametrize("folds", [1, 3])
def test_the_simulated_interval_is_that_of_a_study(folds: int) -> None:
    low, high = estimate_effect(BLOCKS[:folds]).interval(0.99) or (0, 0)
    found = summarise([block[None, None] for block in BLOCKS[:folds]])
    assert METHODS["folds"](found, 0.01)[0, 0] == pytest.approx((high - low) / 2)


def test_an_interval_over_patients_is_scipy_s() -> None:
    low, high = stats.ttest_1samp(np.concatenate(BLOCKS).mean(axis=1), 0).confidence_interval(0.95)
    assert METHODS["patients"](WHOLE, 0.05)[0, 0] == pytest.approx((high - low) / 2)


def test_components_are_satterthwaite_s() -> None:
    parts = [np.mean([b.mean(axis=axis).var(ddof=1) / size for b in BLOCKS]) / 3 for axis, size in ((1, 4), (0, 3))]
    parts.append(np.var([b.mean() for b in BLOCKS], ddof=1) / 3 - sum(parts))
    freedom = sum(parts) ** 2 / sum(part**2 / degrees for part, degrees in zip(parts, (9, 6, 2), strict=True))
    expected = stats.t.ppf(0.975, freedom) * np.sqrt(sum(parts))
    assert METHODS["components"](WHOLE, 0.05)[0, 0] == pytest.approx(expected)


def test_patients_alone_are_overconfident_where_folds_differ_and_folds_are_not() -> None:
    row = simulate_intervals(Design(4, 25, 3), "folds most of all", "normal", 400, seed=0)
    assert row["methods"]["patients"]["1"] > 0.3
    assert row["errors"]["1"] < 0.09
    assert row["verdicts"]


def test_the_same_seed_gives_the_same_row_and_another_does_not() -> None:
    first, again, other = (simulate_intervals(Design(2, 5, 3), "trainings too", "skewed", 50, s) for s in (0, 0, 1))
    assert first == again
    assert first["errors"] != other["errors"]


def test_what_is_simulated() -> None:
    assert {name for design, name, _ in CELLS if design.folds == 1} == {"patients only", "trainings too"}
    assert ({law for _, _, law in CELLS}, {name for _, name, _ in CELLS}) == (set(LAWS), set(SPREADS))
    assert [gives_verdicts(d) for d in (Design(1, 99, 3), Design(2, 9, 3), Design(2, 10, 3))] == [False, False, True]
    sizes = [design.folds * design.patients for design in DESIGNS]
    assert (min(sizes), max(sizes)) == (12, 150)


@pytest.mark.parametrize(
    ("spread", "law", "studies", "complaint"),
    [
        ("patients only", "uniform", 10, "laws are normal, heavy tails, skewed, jumps"),
        ("clips", "normal", 10, "spreads are patients only, trainings too"),
        ("patients only", "normal", 1, "2 studies at least, .* got 1 studies"),
    ],
)
def test_nonsense_is_refused(spread: str, law: str, studies: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        simulate_intervals(Design(2, 2, 2), spread, law, studies, 0)
