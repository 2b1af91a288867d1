# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

from evaluation.privacy.findings import Membership, TruePositiveRate
from evaluation.report import verdict
from evaluation.report.privacy import about_membership, privacy_section
from tests.evaluation.report.examples import empty_evaluation

RATES = (
    TruePositiveRate("clip", 0.01, None, None),
    TruePositiveRate("clip", 0.05, 0.5, (0.25, 0.75)),
    TruePositiveRate("patient", 0.01, None, None),
    TruePositiveRate("patient", 0.05, 0.75, (0.5, 1.0)),
)
TOLD = Membership("weights", RATES, {"denoising at 1.2": 0.93}, 0.0002, (40, 60), (20, 30), needed=19)
SPACE = "\N{NO-BREAK SPACE}"


def test_rates_stand_with_their_intervals_and_what_is_missing() -> None:
    section = privacy_section(TOLD)
    assert "Patients are told" in section
    assert f"25{SPACE}% to 75{SPACE}%" in section
    assert "takes 99 held-out patients" in section
    assert "denoising at 1.2" in section
    assert "0.93" in section


def test_the_sentence_says_what_to_do() -> None:
    assert "40 clips of 20 patients of the training against 60 clips of 30 patients held out" in about_membership(TOLD)
    assert about_membership(TOLD).endswith("do not share these weights.")
    assert "do not tell" in about_membership(replace(TOLD, p_value=0.4))
    few = replace(TOLD, p_value=0.4, num_patients=(20, 4))
    assert "it takes 19 held-out patients, 15 more than there are" in about_membership(few)


def test_weights_that_tell_alarm_the_page() -> None:
    told = verdict(replace(empty_evaluation(), membership=TOLD))
    assert told.tone == "alarm"
    assert told.sentences[-1] == about_membership(TOLD)
    assert verdict(replace(empty_evaluation(), membership=replace(TOLD, p_value=0.4))).tone == "caution"
