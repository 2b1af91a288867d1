# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from statistics import NormalDist

import pytest

from evaluation.privacy.simulation import Design, Leak, simulate


def test_weights_that_tell_nothing_are_rarely_accused() -> None:
    rates = simulate(Design(20, 40, 2), Leak(), replicates=20)
    assert rates.told <= 0.2  # 4 of 20; more in 3 of 1000 runs at 5 %
    assert rates.true == (0.01, 0.05)
    assert rates.found[0] != rates.found[0]  # 1 % takes 99 held-out patients
    assert rates.found[1] == pytest.approx(0.05, abs=0.05)


def test_the_true_rate_is_that_of_the_law() -> None:
    # A score is the larger of two, of which the one, the mean over levels, is told by 3 of its standard deviation of
    # 1 + 0.3²/6, and the other is noise.
    normal = NormalDist()
    limit = normal.inv_cdf(0.95**0.5)
    expected = 1 - normal.cdf(limit - 3 / (1 + 0.09 / 6) ** 0.5) * 0.95**0.5
    rates = simulate(Design(30, 30), Leak(3.0), replicates=5)
    assert rates.told == 1
    assert rates.true[1] == pytest.approx(expected, abs=0.02)
    assert rates.found[1] > 0.3
