# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from downstream.statistics import Effect, Term, estimate_effect
from downstream.statistics.differences import Floats

RNG = np.random.default_rng(0)
BLOCKS = [RNG.normal(0.3, 1.0, size) for size in ((4, 3), (5, 3), (3, 2))]


def check_student(blocks: list[Floats], values: Floats) -> None:
    effect, test = estimate_effect(blocks), ttest_1samp(values, 0)
    assert effect.value == pytest.approx(values.mean())
    assert effect.interval(0.9) == pytest.approx(tuple(test.confidence_interval(0.9)))
    assert effect.p_different() == pytest.approx(test.pvalue, rel=1e-6)
    assert effect.p_different(0.2) == pytest.approx(ttest_1samp(values, 0.2).pvalue, rel=1e-6)


def test_several_folds_are_a_t_test_over_their_means() -> None:
    check_student(BLOCKS, np.array([block.mean() for block in BLOCKS]))


def test_one_fold_and_one_seed_is_a_paired_t_test_over_patients() -> None:
    check_student([BLOCKS[0][:, :1]], BLOCKS[0][:, 0])


def test_one_fold_with_seeds_adds_patients_and_trainings() -> None:
    """Each part by SciPy, with its own degrees of freedom; half widths add up in squares (Banerjee 1960)."""
    block = BLOCKS[1]
    halves = [np.diff(ttest_1samp(block.mean(axis=axis), 0).confidence_interval(0.95))[0] / 2 for axis in (1, 0)]
    low, high = estimate_effect([block]).interval() or (0, 0)
    assert (high - low) / 2 == pytest.approx(np.hypot(*halves))
    assert (high + low) / 2 == pytest.approx(block.mean())


def test_two_terms_hold_the_truth_more_often_than_they_say_at_any_level() -> None:
    rng = np.random.default_rng(2)
    for share in (0.1, 0.5, 0.9):
        variances = np.array([share, 1 - share])[:, None] * rng.chisquare([[2], [9]], (2, 2000)) / [[2], [9]]
        means = rng.normal(size=2000)
        for level in (0.8, 0.95):
            ends = [
                Effect(m, (Term(a, 2), Term(b, 9))).interval(level) for m, a, b in zip(means, *variances, strict=True)
            ]
            held = np.mean([low <= 0 <= high for low, high in ends])  # type: ignore[misc]
            assert held > level - 0.01


def test_an_interval_ends_where_its_p_is() -> None:
    for blocks in (BLOCKS, BLOCKS[:1]):
        effect = estimate_effect(blocks)
        low, high = effect.interval(0.93) or (0, 0)
        assert (effect.p_different(low), effect.p_different(high)) == pytest.approx((0.07, 0.07))


def test_parts_of_the_variance_agree_with_the_sums_written_out() -> None:
    effect = estimate_effect(BLOCKS)
    of_patients = sum(((b.mean(axis=1) - b.mean()) ** 2).sum() for b in BLOCKS) / (12 - 3)
    of_trainings = sum(((b.mean(axis=0) - b.mean()) ** 2).sum() for b in BLOCKS) / (8 - 3)
    by_patient = of_patients * (1 / 4 + 1 / 5 + 1 / 3) / 9
    by_training = of_trainings * (1 / 3 + 1 / 3 + 1 / 2) / 9
    assert (effect.by_patient, effect.by_training) == pytest.approx((by_patient, by_training))
    assert effect.by_fold == pytest.approx(max(0, effect.terms[0].variance - by_patient - by_training))


def test_what_trainings_and_folds_add_is_found() -> None:
    """In the mean over many studies, the parts are what made the data."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(2000):
        folds, trainings = rng.normal(size=(4, 1, 1)), 0.8 * rng.normal(size=(4, 1, 3))
        found.append(estimate_effect(list(folds + trainings + 0.5 * rng.normal(size=(4, 6, 1)) + np.zeros((4, 6, 3)))))
    parts = np.array([(one.by_patient, one.by_training, one.terms[0].variance) for one in found]).mean(axis=0)
    assert parts == pytest.approx((0.25 / 24, 0.64 / 12, 0.25 / 24 + 0.64 / 12 + 1 / 4), rel=0.07)


def test_the_interval_over_patients_is_for_these_networks() -> None:
    block = BLOCKS[0]
    expected = ttest_1samp(block.mean(axis=1), 0).confidence_interval(0.95)
    assert estimate_effect([block]).interval_over_patients() == pytest.approx(tuple(expected))
    assert estimate_effect([block[:1], block[1:2]]).interval_over_patients() is None


def test_equal_arms_do_not_differ_for_sure() -> None:
    effect = estimate_effect([np.zeros((3, 2)), np.zeros((2, 2))])
    assert effect.interval() == (0, 0)
    assert (effect.p_different(), effect.p_different(0.01)) == (1, 0)


def test_one_patient_tells_nothing_about_others() -> None:
    effect = estimate_effect([np.array([[0.1, 0.2, 0.3]])])
    assert effect.interval() is None
    assert effect.p_different() == 1


@pytest.mark.parametrize("values", [[], [np.zeros((0, 2))], [np.zeros(3)]])
def test_what_has_no_gains_is_refused(values: list[Floats]) -> None:
    with pytest.raises(ValueError, match=r"gains \(patients, seeds\)"):
        estimate_effect(values)
