# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import rankdata

from downstream.statistics import holm, signed_rank_p


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_the_closed_test_of_bonferroni(seed: int) -> None:
    """A hypothesis falls when every intersection that holds it does: the largest Bonferroni p of them is its own."""
    p = np.random.default_rng(seed).uniform(size=5) ** 3
    subsets = [s for size in range(1, 6) for s in itertools.combinations(range(5), size)]
    closed = [max(min(1, len(s) * min(p[list(s)])) for s in subsets if i in s) for i in range(5)]
    assert holm(p.tolist()) == pytest.approx(closed)


def test_holm_of_one_and_of_none() -> None:
    assert holm([0.03]) == [0.03]
    assert holm([]) == []
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([0.5, 1.5])


def test_signed_ranks_agree_with_all_signs_tried() -> None:
    gains = np.array([0.3, -0.1, 0.25, 0.4, 0.05, -0.35, 0.6])
    ranks = rankdata(np.abs(gains))
    sums = [np.dot(ranks, signs) for signs in itertools.product((0, 1), repeat=7)]
    observed = ranks[gains > 0].sum()
    tail = np.mean(np.array(sums) >= observed)
    assert signed_rank_p(gains) == pytest.approx(min(1, 2 * tail))
    assert signed_rank_p(-gains) == pytest.approx(signed_rank_p(gains))
    assert signed_rank_p([0.0, 0.0]) == 1
