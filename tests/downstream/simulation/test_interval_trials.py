# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Intervals that are known to hold the truth, or not to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from downstream.simulation.interval_trials import CELLS, METHODS, SPREADS, simulate_coverage
from downstream.simulation.studies import rate_interval
from downstream.simulation.study_laws import LAWS, Design


def test_student_over_patients_is_exact_where_only_patients_differ() -> None:
    """The independent check of the machinery: a t interval of normal values holds the truth in 95 %."""
    row = simulate_coverage(Design(3, 4, 2), "patients only", "normal", 600, seed=0)
    low, high = rate_interval(570, 600)
    assert low - 0.01 <= row["coverage"]["patients"] <= high + 0.01
    assert list(row["coverage"]) == list(METHODS)


def test_patients_alone_are_overconfident_where_folds_differ_and_components_are_not() -> None:
    row = simulate_coverage(Design(4, 25, 3), "folds and trainings, much", "normal", 100, seed=0)
    assert row["coverage"]["patients"] < 0.75 < 0.85 < row["coverage"]["components"]
    assert row["signed_rank"] > 0.2


def test_intervals_over_patients_and_over_folds_are_scipy_s() -> None:
    blocks = [np.random.default_rng(fold).normal(fold, size=(4, 3)) for fold in range(3)]
    for method, values in (
        ("patients", np.concatenate(blocks).mean(axis=1)),
        ("folds", np.array([block.mean() for block in blocks])),
    ):
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert METHODS[method](blocks) == pytest.approx((expected.low, expected.high))


def test_the_same_seed_gives_the_same_row_and_another_does_not() -> None:
    first, again, other = (
        simulate_coverage(Design(2, 5, 3), "trainings too", "skewed", 20, seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first["width"] != other["width"]


def test_one_fold_is_simulated_where_folds_do_not_differ_and_without_an_interval_over_folds() -> None:
    assert {name for design, name, _ in CELLS if design.folds == 1} == {"patients only", "trainings too"}
    assert {law for _, _, law in CELLS} == set(LAWS)
    assert {name for _, name, _ in CELLS} == set(SPREADS)
    row = simulate_coverage(Design(1, 12, 3), "patients only", "normal", 2, seed=0)
    assert list(row["coverage"]) == ["components", "bootstrap", "patients"]


@pytest.mark.parametrize(
    ("spread", "law", "replicates", "complaint"),
    [
        ("patients only", "uniform", 10, "laws are normal, heavy tails, skewed"),
        ("clips", "normal", 10, "spreads are patients only, trainings too"),
        ("patients only", "normal", 1, "2 replicates at least, .* got 1 replicates"),
    ],
)
def test_nonsense_is_refused(spread: str, law: str, replicates: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        simulate_coverage(Design(2, 2, 2), spread, law, replicates, 0)
