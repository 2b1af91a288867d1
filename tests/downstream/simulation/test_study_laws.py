# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from downstream.simulation.study_laws import LAWS, ArmLaw, Design, Spread, draw_gains, draw_scores
from downstream.statistics import arm_values, paired_differences


@pytest.mark.parametrize("law", LAWS)
def test_laws_have_mean_0_and_variance_1(law: str) -> None:
    values = LAWS[law](np.random.default_rng(0), (400_000,))
    assert values.mean() == pytest.approx(0, abs=0.01)
    assert values.var() == pytest.approx(1, rel=0.15)


def test_gains_vary_at_every_level_as_much_as_they_should() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([draw_gains(rng, Design(2, 3, 4), Spread(0.5, 0.7, 0.3), "normal", 2.0) for _ in range(20_000)])
    assert drawn.mean() == pytest.approx(2, abs=0.02)
    assert drawn.var() == pytest.approx(1 + 0.25 + 0.49 + 0.09, rel=0.03)
    same_patient = np.cov(drawn[:, 0, 0, 0], drawn[:, 0, 0, 1])[0, 1]
    same_training = np.cov(drawn[:, 0, 0, 0], drawn[:, 0, 1, 0])[0, 1]
    same_fold = np.cov(drawn[:, 0, 0, 0], drawn[:, 0, 1, 1])[0, 1]
    other_fold = np.cov(drawn[:, 0, 0, 0], drawn[:, 1, 0, 0])[0, 1]
    assert (same_patient, same_training, same_fold, other_fold) == pytest.approx((1.25, 0.74, 0.25, 0), abs=0.06)


def test_scores_are_paired_and_gain_what_the_arm_gives() -> None:
    arms = (ArmLaw("a", 0.05), ArmLaw("b", -0.1))
    scores = draw_scores(np.random.default_rng(0), Design(4, 60, 3), arms)
    assert len(scores) == 4 * 60 * 3 * 2 * 3
    for arm in arms:
        pair = paired_differences(scores, arm.name, "real", "dice", 1.0)
        assert np.mean([block.mean() for block in pair.values]) == pytest.approx(arm.gain, abs=0.02)
        assert np.std(list(pair.by_patient().values())) < 0.05  # what patients share is gone
    assert np.std(np.concatenate(list(arm_values(scores, "real", "dice", 1.0).values())).mean(axis=1)) > 0.08


def test_an_unknown_law_is_refused() -> None:
    with pytest.raises(KeyError, match="uniform"):
        draw_gains(np.random.default_rng(0), Design(2, 2, 2), Spread(), "uniform")
