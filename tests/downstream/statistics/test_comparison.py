# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from downstream.scores import Score
from downstream.statistics import compare_arms, estimate_effect, holm, paired_differences
from downstream.statistics.power import detection_power, patients_needed


def scores(gains: dict[str, float], fractions: tuple[float, ...] = (1.0,)) -> list[Score]:
    rng = np.random.default_rng(0)
    noise = partial(rng.normal, 0.0, 0.01)
    ease = rng.uniform(0.5, 0.7, size=(3, 6))
    return [
        Score(arm, fraction, fold, seed, f"p{fold}{p}", f"c{fold}{p}", "dice", ease[fold, p] + gain + noise())
        for arm, gain in gains.items()
        for fraction in fractions
        for fold in range(3)
        for seed in range(2)
        for p in range(6)
    ]


def test_a_gain_a_loss_and_nothing_are_told_apart() -> None:
    rows = scores({"real": 0.0, "better": 0.1, "worse": -0.1, "alike": 0.0})
    found = compare_arms(rows, ["better", "worse", "alike"], "real", "dice", 0.03)
    assert [one.verdict for one in found] == ["helps", "harms", "no relevant difference"]
    assert [one.gain for one in found] == pytest.approx([0.1, -0.1, 0.0], abs=0.02)
    assert all(one.power > 0.8 for one in found)
    assert all(one.patients_needed is not None and one.patients_needed <= 18 for one in found)


def test_all_arms_and_fractions_are_one_family() -> None:
    rows = scores({"real": 0.0, "a": 0.01, "b": 0.02}, (0.25, 1.0))
    found = compare_arms(rows, ["a", "b"], "real", "dice", 0.03)
    assert [(one.arm, one.fraction) for one in found] == [("a", 1.0), ("a", 0.25), ("b", 1.0), ("b", 0.25)]
    pairs = [paired_differences(rows, one.arm, "real", "dice", one.fraction) for one in found]
    p_values = [estimate_effect(pair.values).p_different() for pair in pairs]
    assert [one.p for one in found] == pytest.approx(holm(p_values))


def test_power_is_that_of_the_whole_family_of_comparisons() -> None:
    """Holm's correction holds the most significant of m comparisons to α / m."""
    rows = scores({"real": 0.0, "a": 0.01, "b": 0.02}, (0.25, 1.0))
    family, alone = (compare_arms(rows, arms, "real", "dice", 0.007) for arms in (["a", "b"], ["a"]))
    for found, count in ((family, 4), (alone, 2)):
        for one in found:
            assert one.power == detection_power(one.effect, 0.007, 0.05 / count)
            assert one.patients_needed == patients_needed(one.effect, 0.007, 0.05 / count)
    assert family[0].effect == alone[0].effect
    assert 0.1 < family[0].power < alone[0].power - 0.01 < 0.95


def test_nothing_is_said_of_an_arm_that_was_trained_once() -> None:
    once = [s for s in scores({"real": 0.0, "better": 0.1}) if (s.fold, s.seed) == (0, 0)]
    (found,) = compare_arms(once, ["better"], "real", "dice", 0.03)
    assert found.p < 0.001
    assert found.verdict == "cannot be told"


def test_a_copy_of_the_reference_makes_no_difference() -> None:
    rows = [s for s in scores({"real": 0.0}) for s in (s, replace(s, arm="again"))]
    (found,) = compare_arms(rows, ["again"], "real", "dice", 0.01)
    assert (found.gain, found.p, found.p_signed_rank, found.verdict) == (0, 1, 1, "no relevant difference")


def test_an_arm_at_another_fraction_is_not_compared() -> None:
    rows = [replace(s, fraction=0.5) if s.arm == "a" else s for s in scores({"real": 0.0, "a": 0.0})]
    assert compare_arms(rows, ["a"], "real", "dice", 0.03) == []
    with pytest.raises(ValueError, match="only one of it and the reference"):
        compare_arms(scores({"real": 0.0, "a": 0.0})[:-1], ["a"], "real", "dice", 0.03)
