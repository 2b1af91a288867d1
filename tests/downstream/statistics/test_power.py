# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from downstream.statistics import Effect, detection_power, estimate_effect, patients_needed


def paired(patients: int, by_training: float = 0.0) -> Effect:
    """A study of one fold whose patients' gains have variance 1."""
    return Effect(0.0, 1 / patients, by_training, 0.0, (patients - 1, 4, 0), patients)


def test_the_paired_t_test_needs_as_many_as_tables_say() -> None:
    """Cohen (1988), two-sided 0.05, power 0.8: 34 pairs for half a standard deviation, 15 for 0.8."""
    assert patients_needed(paired(10), 0.5) == pytest.approx(34, abs=1)
    assert patients_needed(paired(10), 0.8) == pytest.approx(15, abs=1)


def test_power_is_how_often_the_test_finds_it() -> None:
    draws = np.random.default_rng(0).normal(0.6, 1.0, size=(20, 4000))
    found = float(np.mean(ttest_1samp(draws, 0).pvalue < 0.05))
    assert detection_power(paired(20), 0.6) == pytest.approx(found, abs=0.02)


def test_more_patients_do_not_mend_what_trainings_spoil() -> None:
    assert patients_needed(paired(10, by_training=0.25), 0.5) is None
    slightly = patients_needed(paired(10, by_training=0.01), 0.5)
    assert slightly is not None
    assert slightly > 34


def test_as_many_patients_as_it_takes_have_the_power_and_one_less_has_not() -> None:
    needed = patients_needed(paired(10), 0.4, alpha=0.01)
    assert needed is not None
    assert detection_power(paired(needed - 1), 0.4, 0.01) < 0.8 <= detection_power(paired(needed), 0.4, 0.01)


def test_an_effect_that_is_found_already_takes_no_more_patients() -> None:
    """Whatever folds do to the degrees of freedom."""
    effect = Effect(0.0, 1e-5, 1e-5, 2e-5, (12, 3, 2), 15)
    assert detection_power(effect, 0.05) > 0.8
    assert (patients_needed(effect, 0.05) or 99) <= 15


def test_power_grows_with_the_effect_and_ends_at_one() -> None:
    powers = [detection_power(paired(12), size) for size in (0.01, 0.3, 0.9, 100.0)]
    assert powers == sorted(powers)
    assert powers[0] == pytest.approx(0.025, abs=0.005)  # in the right direction, half of 0.05
    assert powers[-1] == 1
    assert detection_power(estimate_effect([np.ones((3, 2))]), 0.1) == 1


def test_one_patient_finds_nothing_and_no_effect_is_refused() -> None:
    single = estimate_effect([np.array([[1.0, 2.0]])])
    assert detection_power(single, 1.0) == 0
    assert patients_needed(single, 1.0) is None
    with pytest.raises(ValueError, match="above 0"):
        detection_power(paired(5), 0.0)
