# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools

import numpy as np
import pytest

from downstream.statistics import bootstrap_interval


def test_two_patients_are_drawn_in_all_ways() -> None:
    """Means of two values drawn twice are 0, 1/2, 1/2 and 1: the middle half of them lies between 0 and 1."""
    values = [np.array([[0.0], [1.0]])]
    means = [sum(pair) / 2 for pair in itertools.product((0.0, 1.0), repeat=2)]
    assert bootstrap_interval(values, 0.4) == tuple(np.quantile(means * 100, [0.3, 0.7]))
    assert bootstrap_interval(values, 0.6) == tuple(np.quantile(means * 100, [0.2, 0.8]))


def test_many_patients_give_the_normal_interval() -> None:
    values = np.random.default_rng(0).normal(size=(400, 1))
    low, high = bootstrap_interval([values], 0.95, replicates=4000)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


@pytest.mark.parametrize("level", ["folds", "patients", "seeds"])
def test_it_widens_with_what_varies_at_any_level(level: str) -> None:
    shape = {"folds": (3, 1, 1), "patients": (3, 5, 1), "seeds": (3, 1, 4)}[level]
    values = list(np.broadcast_to(np.random.default_rng(0).normal(size=shape), (3, 5, 4)))
    low, high = bootstrap_interval(values)
    assert high - low > 0.1
    assert bootstrap_interval([np.ones((5, 4))] * 3) == (1, 1)


def test_it_is_the_same_for_the_same_seed_and_refuses_nonsense() -> None:
    values = [np.arange(12.0).reshape(4, 3), np.arange(4.0).reshape(2, 2)]
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)
    with pytest.raises(ValueError, match="level in"):
        bootstrap_interval(values, level=95)
