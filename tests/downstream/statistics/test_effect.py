# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from downstream.statistics import estimate_effect
from downstream.statistics.differences import Floats

RNG = np.random.default_rng(0)
BLOCKS = [RNG.normal(0.3, 1.0, size) for size in ((4, 3), (5, 3), (3, 2))]


def check_student(blocks: list[Floats], values: Floats) -> None:
    effect, test = estimate_effect(blocks), ttest_1samp(values, 0)
    assert effect.value == pytest.approx(test.statistic * values.std(ddof=1) / np.sqrt(len(values)))
    assert effect.interval(0.9) == pytest.approx(tuple(test.confidence_interval(0.9)))
    assert effect.p_different() == pytest.approx(test.pvalue)
    upper = ttest_1samp(values, 0.2, alternative="greater").pvalue
    assert (effect.p_below(0.2), effect.p_above(0.2)) == pytest.approx((upper, 1 - upper))


def test_one_fold_and_one_seed_is_a_paired_t_test_over_patients() -> None:
    check_student([BLOCKS[0][:, :1]], BLOCKS[0][:, 0])


def test_one_patient_in_each_fold_is_a_t_test_over_folds() -> None:
    check_student([np.array([[value]]) for value in BLOCKS[1][:, 0]], BLOCKS[1][:, 0])


def test_parts_agree_with_the_sums_written_out() -> None:
    effect = estimate_effect(BLOCKS)
    patients = [(f, p, row.mean()) for f, block in enumerate(BLOCKS) for p, row in enumerate(block)]
    trainings = [(f, column.mean()) for f, block in enumerate(BLOCKS) for column in block.T]
    means = [block.mean() for block in BLOCKS]
    mean = sum(m for *_, m in patients) / 12
    by_patient = sum((m - means[f]) ** 2 for f, _, m in patients) / (12 - 3) / 12
    per_training = sum((m - means[f]) ** 2 for f, m in trainings) / (8 - 3)
    by_training = per_training * ((4 / 12) ** 2 / 3 + (5 / 12) ** 2 / 3 + (3 / 12) ** 2 / 2)
    alone = 3 / 2 * sum((len(b) / 12 * (m - mean)) ** 2 for b, m in zip(BLOCKS, means, strict=True))
    assert effect.value == pytest.approx(mean)
    assert (effect.by_patient, effect.by_training) == pytest.approx((by_patient, by_training))
    assert effect.variance == pytest.approx(max(alone, by_patient + by_training))
    assert effect.degrees == (9, 5, 2)


def test_shifts_move_it_and_scales_widen_it() -> None:
    effect, moved = estimate_effect(BLOCKS), estimate_effect([5 + 2 * block for block in BLOCKS[::-1]])
    assert moved.value == pytest.approx(5 + 2 * effect.value)
    assert moved.variance == pytest.approx(4 * effect.variance)
    assert moved.freedom == pytest.approx(effect.freedom)


def test_what_trainings_and_folds_add_is_found() -> None:
    """In the mean over many studies, the parts are what made the data."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(3000):
        folds, trainings = rng.normal(size=(4, 1, 1)), 0.8 * rng.normal(size=(4, 1, 3))
        found.append(estimate_effect(list(folds + trainings + 0.5 * rng.normal(size=(4, 6, 1)) + np.zeros((4, 6, 3)))))
    parts = np.array([(one.by_patient, one.by_training, one.variance) for one in found]).mean(axis=0)
    assert parts[:2] == pytest.approx((0.25 / 24, 0.64 / 12), rel=0.05)
    assert parts[2] == pytest.approx(0.25 / 24 + 0.64 / 12 + 1 / 4, rel=0.05)


def test_equivalence_is_two_one_sided_tests() -> None:
    effect = estimate_effect(BLOCKS)
    low, high = effect.interval(0.9) or (0, 0)
    bound = max(-low, high)
    assert effect.p_equivalent(bound) == pytest.approx(0.05)
    assert effect.p_equivalent(1.1 * bound) < 0.05 < effect.p_equivalent(0.9 * bound)


def test_equal_arms_do_not_differ_for_sure() -> None:
    effect = estimate_effect([np.zeros((3, 2)), np.zeros((2, 2))])
    assert effect.interval() == (0, 0)
    assert (effect.p_different(), effect.p_equivalent(0.01)) == (1, 0)


def test_one_patient_tells_nothing_about_others() -> None:
    effect = estimate_effect([np.array([[0.1, 0.2, 0.3]])])
    assert effect.interval() is None
    assert (effect.p_different(), effect.p_equivalent(9.0)) == (1, 1)


def test_one_training_is_no_replication() -> None:
    assert not estimate_effect([BLOCKS[0][:, :1]]).is_replicated
    assert estimate_effect([BLOCKS[0][:, :2]]).is_replicated
    assert estimate_effect([block[:, :1] for block in BLOCKS]).is_replicated


@pytest.mark.parametrize("values", [[], [np.zeros((0, 2))], [np.zeros(3)]])
def test_what_has_no_gains_is_refused(values: list[Floats]) -> None:
    with pytest.raises(ValueError, match=r"gains \(patients, seeds\)"):
        estimate_effect(values)
