# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from evaluation.memorisation.calibration import Null, group_weights, groups_needed, max_by_chance, tail_factor


def null(scores: list[float], groups: list[str]) -> Null:
    """Return a null of these scores as they are."""
    one = torch.ones(1, 1, dtype=torch.float64)
    values = torch.tensor(scores, dtype=torch.float64)
    return Null(0 * one, one, values, group_weights(groups), len(set(groups)))


@pytest.mark.parametrize(("rate", "needed"), [(0.05, 19), (0.1, 9), (0.01, 99), (0.03, 33)])
def test_groups_needed_allow_a_p_value_as_small_as_the_rate(rate: float, needed: int) -> None:
    assert groups_needed(rate) == needed
    assert 1 / (needed + 1) <= rate < 1 / needed


def test_p_values_count_patients_not_clips() -> None:
    held_out = null([3.0, 1.0, 2.0, 2.0], ["a", "a", "b", "c"])
    p_values = held_out.p_values(torch.tensor([4.0, 2.5, 0.0], dtype=torch.float64))
    torch.testing.assert_close(p_values, torch.tensor([1 / 4, 1.5 / 4, 4 / 4], dtype=torch.float64))


def test_near_is_a_p_value_at_most_the_rate() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        held_out = null(rng.normal(size=90).tolist(), [str(i) for i in rng.integers(0, 45, 90)])
        scores = torch.from_numpy(rng.normal(1, 1, 50))
        expected = held_out.p_values(scores) <= 0.05
        assert torch.equal(scores > held_out.near_limit(0.05), expected)


def test_nothing_is_near_by_too_few_patients() -> None:
    assert null([0.0] * 18, [str(i) for i in range(18)]).near_limit(0.05) == math.inf


def test_spaces_are_put_on_one_scale() -> None:
    z = torch.randn(1, 200, dtype=torch.float64)
    fitted = Null.fit(torch.cat([z, 5 + 0.1 * z]), [str(i) for i in range(200)])
    torch.testing.assert_close(fitted.standardised(torch.cat([z, 5 + 0.1 * z]))[0], fitted.scores)
    one = torch.tensor([[0.3], [5.03]], dtype=torch.float64)
    score = float(fitted.score(one))
    torch.testing.assert_close(fitted.distances(score), 1 - torch.tanh(one[:, 0]))


@pytest.mark.parametrize("level", [0.01, 0.05])
def test_tail_of_many_patients_is_that_of_the_law(level: float) -> None:
    exact = math.log(64) - math.log(-math.log(1 - level))
    assert tail_factor(5000, 64, level) == pytest.approx(exact, rel=0.06)


@pytest.mark.parametrize("groups", [8, 19, 60])
def test_the_limit_is_passed_at_the_rate(groups: int) -> None:
    rng, trials, passed = np.random.default_rng(1), 2000, 0
    for _ in range(trials):
        held_out = null((3 + 2 * rng.gumbel(size=groups)).tolist(), [str(i) for i in range(groups)])
        passed += (3 + 2 * rng.gumbel(size=30)).max() > held_out.copy_limit(30, 0.05)
    assert stats.binomtest(passed, trials, 0.05).pvalue > 1e-3


def test_normal_scores_pass_more_seldom() -> None:
    rng, trials, passed = np.random.default_rng(2), 500, 0
    for _ in range(trials):
        held_out = null(rng.normal(size=40).tolist(), [str(i) for i in range(40)])
        passed += rng.normal(size=30).max() > held_out.copy_limit(30, 0.05)
    assert passed / trials < 0.02


def test_two_patients_give_no_limit() -> None:
    assert null([0.0, 1.0], ["a", "b"]).copy_limit(10, 0.05) == math.inf


def test_the_number_that_is_near_by_chance_holds_in_simulation() -> None:
    rng, most = np.random.default_rng(3), max_by_chance(40, 64, 0.05, 0.02)
    held_out, fake = np.sort(rng.normal(size=(4000, 40))), rng.normal(size=(4000, 64))
    near = (fake > held_out[:, -2:-1]).sum(1)  # p = 2/41 at most
    assert 0.003 < (near > most).mean() <= 0.025


def test_none_may_be_near_where_none_can_be() -> None:
    assert max_by_chance(10, 64, 0.05, 0.02) == 0
