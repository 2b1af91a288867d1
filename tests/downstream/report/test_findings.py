# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is computed for a report, against SciPy's tests and means by NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from downstream.report.findings import find
from tests.downstream.report.studies import ARMS, draw, full_study, small_study, values_of

QUESTION = "real + synthetic x1"


def test_the_full_study_has_all_of_it(tmp_path: Path) -> None:
    found = find(full_study(tmp_path))
    assert [(one.arm, one.fraction, one.family) for one in found.declared] == [
        (QUESTION, 1.0, 2),
        ("synthetic only", 1.0, 2),
    ]
    assert len(found.others) == 12
    assert {one.family for one in found.others} == {12}
    controls = [(one.arm, one.question.against, one.family) for one in found.against_controls]
    assert controls == [(QUESTION, "real + strong augmentation", 1), (QUESTION, "real + copies", 1)]
    assert {one.arm for one in found.bounds} == {"real + extra real"}
    assert set(found.secondary) == {"hd95", "lesion_recall"}
    assert len(found.means) == 10 * 2 * 3


def test_one_training_in_one_fold_is_a_paired_t_test() -> None:
    scores = draw({"real": 0.0, QUESTION: 0.03}, folds=1, seeds=1, patients=7)
    (one,) = find(small_study(scores=scores)).comparisons
    expected = stats.ttest_rel(*(values_of(scores, arm).mean(axis=1) for arm in (QUESTION, "real")))
    assert one.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert one.effect.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert one.verdict == "cannot be told"


def test_means_are_those_of_patients_with_their_t_interval() -> None:
    scores = draw({"real": 0.0, QUESTION: 0.03}, folds=1, seeds=1, patients=7, fractions=(0.5, 1.0))
    found = find(small_study(scores=scores))
    for arm, fraction, metric in (("real", 1.0, "dice"), (QUESTION, 0.5, "dice"), ("real", 0.5, "hd95")):
        values = values_of(scores, arm, metric, fraction).mean(axis=1)
        mean = found.mean_of(arm, fraction, metric)
        assert mean is not None
        assert mean.effect.value == pytest.approx(values.mean())
        assert mean.interval == pytest.approx(stats.t.interval(0.95, 6, values.mean(), stats.sem(values)))
    assert [mean.fraction for mean in found.means] == [1.0] * 6 + [0.5] * 6
    assert found.mean_of("real", 0.25, "dice") is None


def test_intervals_of_means_stay_within_what_a_metric_can_be() -> None:
    scores = draw({"real": 0.3}, folds=1, seeds=1, patients=4)
    (low, high), (hd_low, hd_high) = (
        mean.interval or (np.nan, np.nan)
        for mean in find(small_study(scores=scores)).means
        if mean.metric in ("dice", "hd95")
    )
    assert low < 1 == high
    assert 0 == hd_low < hd_high
    one_patient = find(small_study(scores=draw({"real": 0.0}, folds=1, seeds=2, patients=1)))
    assert [mean.interval for mean in one_patient.means] == [None] * 3


def test_gains_by_other_metrics_are_positive_where_these_are_better() -> None:
    """In these studies the distance is 40 (1 - Dice): its gain is 40 times that in Dice."""
    found = find(small_study())
    (dice,), (distance,) = found.comparisons, found.secondary["hd95"]
    assert dice.gain > 0
    assert distance.gain == pytest.approx(40 * dice.gain)
    assert not hasattr(distance, "verdict")
    by_distance = find(small_study(metric="hd95", smallest_effect=0.8))
    assert by_distance.comparisons[0].gain == distance.gain
    assert set(by_distance.secondary) == {"dice", "lesion_recall"}


def test_a_question_without_a_fraction_is_asked_at_the_largest_that_both_arms_have() -> None:
    every = draw({"real": 0.0, QUESTION: 0.01, "real + synthetic x2": 0.3}, fractions=(0.25, 0.5, 1.0))
    scores = [score for score in every if score.arm != QUESTION or score.fraction < 1]
    found = find(small_study(scores=scores, arms=ARMS))
    assert found.lead is found.declared[0]
    assert (found.lead.arm, found.lead.fraction, found.fraction) == (QUESTION, 0.5, 0.5)
    assert [(one.arm, one.fraction) for one in found.others] == [
        (QUESTION, 0.25),
        *[("real + synthetic x2", fraction) for fraction in (1.0, 0.5, 0.25)],
    ]


def test_the_gain_over_a_control_is_that_over_the_reference_less_the_control_s() -> None:
    gains = {"real": 0.0, QUESTION: 0.07, "real + copies": 0.02}
    found = find(small_study(scores=draw(gains, fractions=(0.5, 1.0)), arms=ARMS))
    (one,) = found.against_controls
    assert (one.arm, one.question.against, one.fraction) == (QUESTION, "real + copies", 1.0)
    alone, control = found.gain_of(QUESTION, 1.0), found.gain_of("real + copies", 1.0)
    assert alone is not None
    assert control is not None
    assert one.gain == pytest.approx(alone.gain - control.gain)


def test_nothing_is_found_where_nothing_was_compared() -> None:
    found = find(small_study(scores=draw({"real": 0.0}, fractions=(0.5, 0.25)), arms=ARMS))
    assert (found.comparisons, found.against_controls) == ((), ())
    assert found.lead is None
    assert found.fraction == 0.5
    assert found.secondary == {"hd95": (), "lesion_recall": ()}


def test_the_order_of_scores_does_not_matter() -> None:
    scores = draw({"real": 0.0, QUESTION: 0.07, "real + copies": 0.02}, fractions=(0.5, 1.0))
    first, second = (find(small_study(scores=given, arms=ARMS)) for given in (scores, scores[::-1]))
    assert first.comparisons == second.comparisons
    assert first.against_controls == second.against_controls
    assert all(second.mean_of(mean.arm, mean.fraction, mean.metric) == mean for mean in first.means)


def test_scores_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match=r"only one of it and the reference scored 000\.mp4 of patient 00"):
        find(small_study(scores=draw({"real": 0.0, QUESTION: 0.0})[3:]))
