# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from downstream.questions import Question
from downstream.scores import Score
from downstream.statistics import compare, detection_power, measure_gains, patients_needed


def scores(gains: dict[str, float], fractions: tuple[float, ...] = (1.0,), patients: int = 10) -> list[Score]:
    rng = np.random.default_rng(0)
    noise = partial(rng.normal, 0.0, 0.01)
    ease = rng.uniform(0.5, 0.7, size=(4, patients))
    return [
        Score(arm, fraction, fold, seed, f"p{fold}-{p}", f"c{fold}-{p}", "dice", ease[fold, p] + gain + noise())
        for arm, gain in gains.items()
        for fraction in fractions
        for fold in range(4)
        for seed in range(2)
        for p in range(patients)
    ]


QUESTIONS = [Question("better"), Question("worse"), Question("alike")]


def test_a_gain_a_loss_and_nothing_are_told_apart() -> None:
    rows = scores({"real": 0.0, "better": 0.1, "worse": -0.1, "alike": 0.0})
    found = compare(rows, QUESTIONS, "dice", 0.03)
    assert [one.verdict for one in found] == ["helps", "harms", "no relevant difference"]
    assert [one.gain for one in found] == pytest.approx([0.1, -0.1, 0.0], abs=0.02)
    assert all(one.power > 0.8 for one in found)
    (asked,) = compare(rows, [Question("alike", "non-inferiority", against="worse", margin=0.01)], "dice", 0.03)
    assert (asked.verdict, asked.margin, asked.family) == ("helps", 0.01, 1)
    assert asked.gain == pytest.approx(found[2].gain - found[1].gain)


def test_questions_are_one_family_with_scipy_s_intervals() -> None:
    rows = scores({"real": 0.0, "a": 0.01, "b": 0.02}, (0.25, 1.0))
    found = compare(rows, [Question("a"), Question("b", fraction=0.25)], "dice", 0.03)
    assert [(one.arm, one.fraction, one.family) for one in found] == [("a", 1.0, 2), ("b", 0.25, 2)]
    for one in found:
        test = ttest_1samp([block.mean() for block in one.differences.values], 0)
        assert one.simultaneous == pytest.approx(tuple(test.confidence_interval(0.975)))
        assert one.p == pytest.approx(min(1, 2 * test.pvalue), rel=1e-6)
        assert one.power == detection_power(one.effect, 0.03, 0.025)
        assert one.patients_needed == patients_needed(one.effect, 0.03, 0.025)


def test_a_question_alone_is_answered_more_easily() -> None:
    rows = scores({"real": 0.0, "better": 0.01, "worse": -0.1, "alike": 0.0})
    alone, in_family = (compare(rows, asked, "dice", 0.03)[0] for asked in (QUESTIONS[:1], QUESTIONS))
    assert alone.effect == in_family.effect
    assert alone.power > in_family.power
    assert np.ptp(alone.simultaneous or ()) < np.ptp(in_family.simultaneous or ())


def test_nothing_is_said_of_one_fold_or_of_few_patients() -> None:
    once = [s for s in scores({"real": 0.0, "better": 0.1}) if s.fold == 0]
    few = scores({"real": 0.0, "better": 0.1}, patients=9)
    for rows in (once, few):
        (found,) = compare(rows, QUESTIONS, "dice", 0.03)
        assert found.p < 0.06
        assert (found.verdict, found.power) == ("cannot be told", 0)
        assert found.refused


def test_a_copy_of_the_reference_makes_no_difference() -> None:
    rows = [s for s in scores({"real": 0.0}) for s in (s, replace(s, arm="alike"))]
    (found,) = compare(rows, QUESTIONS, "dice", 0.01)
    assert (found.gain, found.p, found.verdict) == (0, 1, "no relevant difference")


def test_an_arm_at_another_fraction_is_not_compared() -> None:
    rows = [replace(s, fraction=0.5) if s.arm == "a" else s for s in scores({"real": 0.0, "a": 0.0})]
    assert compare(rows, [Question("a")], "dice", 0.03) == []
    assert measure_gains(rows, ["a"], "real", "dice") == []
    with pytest.raises(ValueError, match="only one of it and the reference"):
        compare(scores({"real": 0.0, "a": 0.0})[:-1], [Question("a")], "dice", 0.03)
