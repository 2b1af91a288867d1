# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from downstream.report import ReportArm, question_arms
from downstream.report.findings import find
from downstream.report.generator import Fidelity, read_fidelity
from downstream.report.verdict import Summary, summarise
from tests.downstream.report.studies import ARMS, draw, evaluation, small_study


def summary(gains: dict[str, float], *fidelity: Fidelity, noise: float = 0.01, folds: int = 3) -> Summary:
    scores = draw({"real": 0.0, **gains}, folds=folds, noise=noise)
    return summarise(find(small_study(scores=scores, arms=ARMS)), fidelity)


def test_a_gain_is_a_benefit() -> None:
    found = summary({"real + synthetic x1": 0.07})
    assert found.tone == "good"
    (sentence,) = found.sentences
    assert sentence.startswith("The data supports a benefit of synthetic clips: “real + synthetic x1” with all real")
    assert "changes Dice by +0.06" in sentence
    assert "It is larger than 0.02" in sentence


def test_a_small_gain_is_not_called_relevant() -> None:
    found = summary({"real + synthetic x1": 0.03}, folds=5, noise=0.03)
    assert "It may be smaller than 0.02" in found.sentences[0]


def test_a_loss_is_harm() -> None:
    found = summary({"real + synthetic x1": -0.07})
    assert found.tone == "alarm"
    assert "supports no benefit of synthetic clips, but harm" in found.sentences[0]


def test_nothing_is_told_apart_from_not_knowing() -> None:
    alike = summary({"real + synthetic x1": 0.0}, noise=0.002)
    assert alike.tone == "caution"
    assert "no benefit of synthetic clips that matters" in alike.sentences[0]
    assert "; this is smaller than 0.02, which was declared to be the least that does." in alike.sentences[0]
    unknown = summary({"real + synthetic x1": 0.0}, noise=0.1)
    assert "does not show whether synthetic clips help" in unknown.sentences[0]
    assert "no proof of anything" in unknown.sentences[0]
    assert "with a probability of" in unknown.sentences[0]


def test_what_is_known_of_one_dose_is_told_where_another_is_unclear() -> None:
    scores = draw({"real": 0.0, "real + synthetic x1": 0.0}, noise=0.002)
    unclear = [s for s in draw({"real + synthetic x2": 0.0}, noise=0.1) if s.arm == "real + synthetic x2"]
    (sentence,) = summarise(find(small_study(scores=[*scores, *unclear], arms=ARMS))).sentences
    assert "no benefit of synthetic clips that matters: “real + synthetic x1” with all real data changes" in sentence
    assert sentence.endswith("Of “real + synthetic x2” with all real data it cannot be told.")


def test_one_training_is_told_to_be_an_anecdote() -> None:
    scores = draw({"real": 0.0, "real + synthetic x1": 0.2}, folds=1, seeds=1)
    found = summarise(find(small_study(scores=scores, arms=ARMS)))
    assert found.tone == "caution"
    assert "does not show whether synthetic clips help" in found.sentences[0]
    assert "Each arm was trained once" in found.sentences[0]


def test_doses_that_disagree_are_both_told() -> None:
    found = summary({"real + synthetic x1": 0.07, "real + synthetic x2": -0.07})
    assert found.sentences[0].startswith("It depends: synthetic clips help, “real + synthetic x1”")
    assert "and harm, “real + synthetic x2”" in found.sentences[0]
    assert found.tone == "caution"


def test_a_control_that_does_as_well_takes_the_credit() -> None:
    found = summary({"real + synthetic x1": 0.07, "real + copies": 0.07})
    assert found.tone == "caution"
    assert "Without anything new from a generator, “real + copies”" in found.sentences[1]
    assert "“real + synthetic x1” was not shown to be better than “real + copies”" in found.sentences[1]
    clear = summary({"real + synthetic x1": 0.12, "real + copies": 0.04})
    assert "not shown to be better" not in clear.sentences[1]


def test_what_more_real_clips_bring_is_no_reason_to_doubt_a_gain() -> None:
    found = summary({"real + synthetic x1": 0.07, "real + extra real": 0.1})
    assert found.tone == "good"
    assert found.sentences[1].startswith("More real clips help: “real + extra real” with all real data changes Dice by")
    unclear = summary({"real + synthetic x1": 0.0, "real + extra real": 0.0}, noise=0.1)
    assert "More real clips were not shown to help either: “real + extra real”" in unclear.sentences[1]


def test_a_segmenter_that_learnt_nothing_is_told() -> None:
    found = summary({"real + synthetic x1": 0.07, "always centre": 0.02})
    assert "“real” is no better than “always centre”" in found.sentences[1]


def test_copies_are_an_alarm_whatever_was_gained(tmp_path: Path) -> None:
    fidelity = [read_fidelity("fold 3", evaluation(tmp_path, has_copies=True))]
    found = summary({"real + synthetic x1": 0.07}, *fidelity)
    assert found.tone == "alarm"
    assert "copies of training clips (fold 3)" in found.sentences[1]


def test_synthetic_clips_alone_are_not_the_question() -> None:
    found = summary({"real + synthetic x1": 0.07, "synthetic only": -0.3})
    assert found.tone == "good"
    assert "synthetic only" not in found.sentences[0]
    assert question_arms(ARMS) == ["real + synthetic x1", "real + synthetic x0.5", "real + synthetic x2"]
    assert question_arms([ReportArm("pseudo", "synthetic"), ReportArm("real", "reference")]) == ["pseudo"]


def test_a_study_without_synthetic_clips_says_nothing_about_them() -> None:
    assert "says nothing about them" in summary({"real + copies": 0.07}).sentences[0]
