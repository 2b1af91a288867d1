# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from downstream.statistics import Effect, detection_power, estimate_effect, patients_needed


def study(patients: int, folds: int = 5, by_training: float = 0.0, by_fold: float = 0.0) -> Effect:
    """A study whose patients' gains have variance 1."""
    return Effect(0.0, (), 1 / patients, by_training, by_fold, patients, folds)


def test_as_many_folds_as_patients_need_as_many_as_tables_say() -> None:
    """Cohen (1988), two-sided 0.05, power 0.8: 34 pairs for half a standard deviation."""
    assert detection_power(study(34, folds=34), 0.5) == pytest.approx(0.81, abs=0.01)


def test_power_is_how_often_the_test_over_folds_finds_it() -> None:
    rng = np.random.default_rng(0)
    means = rng.normal(0.6, 1.0, size=(5, 8, 4000)).mean(axis=1) + rng.normal(0, 0.3, size=(5, 4000))
    tests = ttest_1samp(means, 0)
    found = float(np.mean((tests.pvalue < 0.05) & (tests.statistic > 0)))
    assert detection_power(study(40, by_fold=0.09 / 5), 0.6) == pytest.approx(found, abs=0.02)


def test_more_patients_do_not_mend_what_folds_and_trainings_spoil() -> None:
    assert patients_needed(study(10, by_training=0.25), 0.5) is None
    assert patients_needed(study(10, by_fold=0.25), 0.5) is None
    slightly, not_at_all = (patients_needed(study(10, by_fold=part), 0.5) for part in (0.01, 0.0))
    assert slightly is not None
    assert not_at_all is not None
    assert slightly > not_at_all


def test_as_many_patients_as_it_takes_have_the_power_and_one_less_has_not() -> None:
    needed = patients_needed(study(10), 0.5, alpha=0.02)
    assert needed is not None
    assert detection_power(study(needed - 1), 0.5, 0.02) < 0.8 <= detection_power(study(needed), 0.5, 0.02)


def test_power_grows_with_the_effect_and_ends_at_one() -> None:
    powers = [detection_power(study(12), size) for size in (0.01, 0.3, 0.9, 100.0)]
    assert powers == sorted(powers)
    assert powers[0] == pytest.approx(0.025, abs=0.005)  # in the right direction, half of 0.05
    assert powers[-1] == 1
    assert detection_power(estimate_effect([np.ones((3, 2)), np.ones((3, 2))]), 0.1) == 1


def test_one_fold_finds_nothing_and_no_effect_is_refused() -> None:
    single = estimate_effect([np.array([[1.0, 2.0], [3.0, 4.0]])])
    assert detection_power(single, 1.0) == 0
    assert patients_needed(single, 1.0) is None
    with pytest.raises(ValueError, match="above 0"):
        detection_power(study(5), 0.0)
