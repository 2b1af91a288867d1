# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Every sentence about an arm agrees with the interval that it is read from."""

from __future__ import annotations

from pathlib import Path

import pytest

from downstream.questions import Question
from downstream.report.findings import Findings, find
from downstream.report.generator import Fidelity, read_fidelity
from downstream.report.verdict import Summary, summarise
from downstream.scores import Score
from tests.downstream.report.studies import ARMS, QUESTION, draw, evaluation, small_study

LEAD = QUESTION.arm
STRONG = "real + strong augmentation"


def scores_of(gains: dict[str, tuple[float, ...]]) -> list[Score]:
    """One score a patient, whose gain is exactly that of its fold."""
    return [
        Score(arm, 1.0, fold, 0, f"p{fold}{p}", f"c{fold}{p}", "dice", 0.5 + 0.01 * p + gain)
        for arm, folds in {"real": (0.0,) * 5, **gains}.items()
        for fold, gain in enumerate(folds)
        for p in range(10)
    ]


def found_of(gains: dict[str, tuple[float, ...]], *questions: Question) -> Findings:
    return find(small_study(scores=scores_of(gains), arms=ARMS, questions=questions or (QUESTION,)))


def answer(gains: dict[str, tuple[float, ...]], *questions: Question) -> str:
    return summarise(found_of(gains, *questions)).sentences[0]


def summary(gains: dict[str, float], *fidelity: Fidelity, noise: float = 0.01, folds: int = 3) -> Summary:
    scores = draw({"real": 0.0, **gains}, folds=folds, noise=noise)
    return summarise(find(small_study(scores=scores, arms=ARMS)), fidelity)


CLEAR = (0.028, 0.032, 0.030, 0.029, 0.031)  # 0.030 (0.028 to 0.032)
NOISY = (-0.05, 0.12, 0.00, 0.09, 0.015)  # 0.035 (-0.048 to 0.118)


def test_a_gain_that_a_noisy_control_has_too_is_no_benefit_of_synthetic_clips() -> None:
    """Synthetic clips +0.030 and clear, strong augmentation +0.035 and not significant: not to be told apart."""
    found = found_of({LEAD: CLEAR, STRONG: NOISY})
    assert [one.verdict for one in found.comparisons] == ["helps", "cannot be told"]
    told = summarise(found)
    assert told.tone == "caution"
    assert told.sentences[0] == (
        f"A benefit of synthetic clips is not shown: “{LEAD}” with all real data changes Dice by +0.0300 "
        f"(95\xa0% interval 0.0280 to 0.0320), but it cannot be told from “{STRONG}” (itself +0.0350; "
        "difference 0.00, −0.09 to 0.08). The gain is 0.02 or more, the least that was declared to matter."
    )


def test_a_gain_that_beats_every_control_is_a_benefit() -> None:
    told = summarise(found_of({LEAD: CLEAR, STRONG: (0.001, -0.002, 0.0, 0.002, -0.001), "real + copies": (0.0,) * 5}))
    assert told.sentences[0].startswith("The data supports a benefit of synthetic clips: ")
    assert f"; it beats “{STRONG}” and “real + copies” too. " in told.sentences[0]
    one_missed = answer({LEAD: CLEAR, STRONG: (0.0,) * 5, "real + copies": NOISY})
    assert "but it cannot be told from “real + copies”" in one_missed
    assert STRONG not in one_missed


def test_a_control_that_is_better_is_said_to_be() -> None:
    told = answer({LEAD: CLEAR, STRONG: (0.058, 0.062, 0.060, 0.059, 0.063)})
    assert f"but it is worse than “{STRONG}” (itself +0.0604; " in told


def test_without_a_control_nobody_knows_what_a_gain_is_due_to() -> None:
    told = summarise(found_of({LEAD: CLEAR}))
    assert told.tone == "caution"
    assert "This study has no control, so what the gain is due to cannot be told." in told.sentences[0]


def test_a_small_gain_is_not_called_relevant() -> None:
    assert "may be smaller than 0.02" in answer({LEAD: (0.01, 0.03, 0.02, 0.025, 0.015)})


def test_a_loss_is_harm() -> None:
    found = summary({LEAD: -0.07})
    assert found.tone == "alarm"
    assert found.sentences[0].startswith("The data supports harm by synthetic clips: ")


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ((0.001, -0.001, 0.0, 0.002, -0.002), "supports no benefit of synthetic clips that matters"),
        ((0.009, 0.011, 0.010, 0.008, 0.012), "That there is a small gain is shown."),
        ((-0.009, -0.011, -0.010, -0.008, -0.012), "That there is a small loss is shown."),
        (NOISY, "neither a benefit of synthetic clips nor that there is none"),
        ((-0.04, 0.02, -0.03, 0.0, -0.01), "It rules out a gain of 0.02 or more."),
        ((0.04, -0.02, 0.03, 0.0, 0.01), "It rules out a loss of 0.02 or more."),
    ],
)
def test_what_is_not_shown_is_told_apart(gains: tuple[float, ...], said: str) -> None:
    told = summarise(found_of({LEAD: gains}))
    assert told.tone == "caution"
    assert said in told.sentences[0]


ONLY = Question("synthetic only", "non-inferiority")


@pytest.mark.parametrize(
    ("gains", "tone", "said"),
    [
        ((0.0, -0.004, 0.002, 0.004, -0.002), "good", "“synthetic only” is as good as “real” within 0.02: "),
        ((-0.009, -0.011, -0.010, -0.008, -0.012), "good", "That there is a small loss is shown."),
        (CLEAR, "good", "It is even better."),
        ((-0.06, -0.03, -0.01, -0.04, -0.02), "alarm", "“synthetic only” is worse than “real”: "),
        (NOISY, "caution", "It is not shown that “synthetic only” is as good as “real” within 0.02: "),
    ],
)
def test_non_inferiority_has_words_of_its_own(gains: tuple[float, ...], tone: str, said: str) -> None:
    found = find(small_study(scores=scores_of({"synthetic only": gains}), arms=ARMS, questions=(ONLY,)))
    told = summarise(found)
    assert told.tone == tone
    assert said in told.sentences[0]
    assert told.sentences[1] == "“synthetic only”: real patients chose its weights."


def test_an_estimate_within_the_margin_is_not_enough() -> None:
    """Two points below real with an interval far below it: never “within 0.03”."""
    loss = (-0.06, 0.01, -0.03, 0.0, -0.02)
    wide = answer({"synthetic only": loss}, Question("synthetic only", "non-inferiority", margin=0.03))
    assert wide.startswith("It is not shown that “synthetic only” is as good as “real” within 0.03: ")


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ((0.0, -0.004, 0.002, 0.004, -0.002), "“synthetic only” and “real” are alike within 0.02"),
        (CLEAR, "“synthetic only” and “real” are not alike, the first is better"),
        (tuple(-gain for gain in CLEAR), "“synthetic only” and “real” are not alike, the first is worse"),
        (NOISY, "It is not shown that “synthetic only” and “real” are alike within 0.02"),
    ],
)
def test_equivalence_has_words_of_its_own(gains: tuple[float, ...], said: str) -> None:
    assert answer({"synthetic only": gains}, Question("synthetic only", "equivalence")).startswith(said)


def test_every_question_is_answered_in_its_order_and_against_its_own_reference() -> None:
    gains = {LEAD: CLEAR, STRONG: (0.0,) * 5, "synthetic only": NOISY}
    told = summarise(found_of(gains, Question(LEAD, against=STRONG), ONLY)).sentences
    assert f"“{LEAD}” with all real data, against “{STRONG}”, changes Dice by" in told[0]
    assert "all 2 together" in told[0]
    assert told[1].startswith("It is not shown that “synthetic only” is as good as")


def test_a_design_that_cannot_hold_its_errors_gets_no_verdict() -> None:
    found = summarise(find(small_study(scores=draw({"real": 0.0, LEAD: 0.2}, folds=1), arms=ARMS)))
    assert found.tone == "caution"
    assert found.sentences[0].startswith(f"There is no verdict on “{LEAD}” and “real”: one fold was tested")
    few = summarise(find(small_study(scores=draw({"real": 0.0, LEAD: 0.2}, patients=9), arms=ARMS)))
    assert "a fold has 9 patients, and a few of them can decide" in few.sentences[0]


def test_what_more_real_clips_bring_is_no_reason_to_doubt_a_gain() -> None:
    gains = {LEAD: 0.07, "real + copies": 0.0}
    found = summary({**gains, "real + extra real": 0.1})
    assert found.tone == "good"
    assert found.sentences[1].startswith("More real clips help: “real + extra real” with all real data changes Dice by")
    unclear = summary({LEAD: 0.0, "real + extra real": 0.0}, noise=0.1)
    assert unclear.sentences[1].startswith("Nor is it shown that more real clips help: “real + extra real”")


def test_a_segmenter_that_learnt_nothing_is_told() -> None:
    found = summary({LEAD: 0.07, "always centre": 0.02})
    assert "“real” is no better than “always centre”" in found.sentences[1]


def test_copies_are_an_alarm_whatever_was_gained(tmp_path: Path) -> None:
    fidelity = [read_fidelity("fold 3", evaluation(tmp_path, has_copies=True))]
    found = summary({LEAD: 0.07}, *fidelity)
    assert found.tone == "alarm"
    assert "copies of training clips (fold 3)" in found.sentences[1]


def test_a_study_that_asked_nothing_has_no_answer() -> None:
    assert "asked nothing of arms that have scores" in summary({"real + copies": 0.07}).sentences[0]
