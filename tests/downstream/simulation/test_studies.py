# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts about arms whose gain is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from downstream.simulation.studies import ARMS, SMALLEST_EFFECT, rate_interval, simulate_studies
from downstream.simulation.study_laws import Design, draw_scores
from downstream.statistics import compare_arms


def test_studies_find_what_is_there_and_not_what_is_not() -> None:
    found = simulate_studies(Design(5, 20, 3), 20, seed=0)
    arms = found["arms"]
    assert arms["fresh data"]["verdicts"]["helps"] >= 17
    assert arms["a harmful generator"]["verdicts"]["harms"] >= 17
    assert arms["copies of training clips"]["verdicts"].get("helps", 0) <= 2
    assert found["false_finding"] <= 4
    assert {name: sum(row["verdicts"].values()) for name, row in arms.items()} == {arm.name: 20 for arm in ARMS}
    assert found == simulate_studies(Design(5, 20, 3), 20, seed=0)


def test_counts_are_those_of_the_studies_one_by_one() -> None:
    """Drawn again from the same seed and compared here, a small study with many errors among them."""
    design, replicates = Design(3, 4, 2), 12
    found = simulate_studies(design, replicates, seed=3)
    rng = np.random.default_rng([3, design.folds, design.patients, design.seeds])
    names = [arm.name for arm in ARMS]
    studies = [
        compare_arms(draw_scores(rng, design, ARMS), names, "real", "dice", SMALLEST_EFFECT) for _ in range(replicates)
    ]
    findings = equivalences = 0
    for place, arm in enumerate(ARMS):
        row, ones = found["arms"][arm.name], [study[place] for study in studies]
        intervals = [one.effect.interval() or (np.nan, np.nan) for one in ones]
        assert row["gain"] == arm.gain
        assert row["covered"] == sum(low <= arm.gain <= high for low, high in intervals)
        assert row["signed_rank"] == sum(one.p_signed_rank < 0.05 for one in ones)
        assert row["power"] == pytest.approx(np.mean([one.power for one in ones]), abs=6e-4)
    for study in studies:
        verdicts = [(one.verdict, arm.gain) for one, arm in zip(study, ARMS, strict=True)]
        findings += any((told == "helps" and gain <= 0) or (told == "harms" and gain >= 0) for told, gain in verdicts)
        equivalences += any(told == "no relevant difference" and abs(gain) >= 0.02 for told, gain in verdicts)
    assert (found["false_finding"], found["false_equivalence"]) == (findings, equivalences)


def test_progress_is_told_once_for_each_study() -> None:
    ticks: list[None] = []
    simulate_studies(Design(2, 2, 1), 3, 0, lambda: ticks.append(None))
    assert len(ticks) == 3


def test_rates_have_exact_intervals() -> None:
    assert rate_interval(0, 20) == pytest.approx((0, 1 - 0.025 ** (1 / 20)))
    assert rate_interval(20, 20) == pytest.approx((0.025 ** (1 / 20), 1))
    low, high = rate_interval(3, 20)
    assert stats.binom.sf(2, 20, low) == pytest.approx(0.025)
    assert stats.binom.cdf(3, 20, high) == pytest.approx(0.025)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 replicate"):
        simulate_studies(Design(2, 2, 2), 0, 0)
