# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from evaluation.report import verdict
from evaluation.report.verdict import lead_score
from evaluation.results import Copy, Evaluation, Floor, GateResult, Interval, NearestPair, Repeats, Score
from tests.evaluation.report.examples import empty_evaluation, full_evaluation, score
from tests.evaluation.report.test_mending import power

PASSED = GateResult(True, (), (), {"pixels": 0.1}, 0.05, 0.047, 128, 210, 62)


def evaluation_of(*scores: Score, gate: GateResult | None = PASSED, warnings: tuple[str, ...] = ()) -> Evaluation:
    return replace(empty_evaluation(), scores=scores, gate=gate, warnings=warnings)


def interval(low: float, high: float) -> Interval:
    return Interval(low, high, 0.95, "jackknife")


@pytest.mark.parametrize(
    ("value", "ends", "expected"),
    [
        (3.0, (2.5, 3.6), "3.0 times and clearly above what real clips score against each other"),
        (1.4, (1.35, 1.6), "above what real clips score against each other (1.00, 0.80 to 1.30): it tells"),
        (1.5, (1.1, 1.9), "but its interval reaches that far: more clips are needed"),
        (1.1, (0.9, 1.4), "no worse than what real clips score against each other"),
    ],
)
def test_a_distance_is_compared_with_its_floor(value: float, ends: tuple[float, float], expected: str) -> None:
    assert expected in verdict(evaluation_of(score(value, interval=interval(*ends)))).sentences[0]


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, "below what real clips score"), (0.85, "no worse than what real clips score")]
)
def test_a_score_that_should_be_high_is_compared_the_other_way_round(value: float, expected: str) -> None:
    floor = Floor(0.9, interval(0.8, 0.95), None)
    found = score(value, higher_is_better=True, floor=floor, interval=None)
    assert expected in verdict(evaluation_of(found)).sentences[0]


@pytest.mark.parametrize(("floor", "expected"), [
    (None, "there is no floor"),
    (Floor(None, None, None), "there is no floor"),
    (Floor(None, None, 1.0), "above what real clips score against each other (1.00 expected)"),
    (Floor(0.0, interval(-0.5, 0.5), None), "0, −0.5 to 0.5): it tells"),
])  # fmt: skip
def test_floors_that_say_less(floor: Floor | None, expected: str) -> None:
    assert expected in verdict(evaluation_of(score(floor=floor))).sentences[0]


def test_the_lead_is_one_that_may_be_read() -> None:
    hidden = score(title="hidden", lead=True, meaningful=False)
    broken = score(math.nan, title="broken", lead=True)
    first, lead = score(title="first"), score(title="lead", lead=True)
    several = ((hidden, broken, first, lead), (hidden, first), (hidden,))
    assert [lead_score(evaluation_of(*scores)) for scores in several] == [lead, first, None]
    assert "No score could be read" in verdict(evaluation_of(hidden)).sentences[0]


def test_the_tone_is_good_only_where_nothing_is_amiss() -> None:
    alike = score(1.0)
    assert verdict(evaluation_of(alike)).tone == "good"
    assert verdict(evaluation_of(alike, warnings=("codec",))).tone == "caution"
    assert verdict(evaluation_of(alike, gate=None)).tone == "caution"
    assert verdict(evaluation_of(score(3.0))).tone == "caution"
    assert verdict(full_evaluation()).tone == "alarm"


def test_repeats_lead_and_nothing_is_called_like_real() -> None:
    alike = evaluation_of(score(1.0))
    few = verdict(replace(alike, repeats=Repeats(14, 48, 14, 1.0, "descriptors")))
    assert few == verdict(alike)
    for nearness, tone, what in ((0.0, "alarm", "They repeat each other"), (0.6, "caution", "They lack variety")):
        found = verdict(replace(alike, repeats=Repeats(48, 48, 14, nearness, "descriptors")))
        assert found.tone == tone
        assert found.sentences[0].startswith("The synthetic clips are too alike: 48 of 48")
        assert what in found.sentences[0]
        assert not any("no worse" in sentence for sentence in found.sentences)


def test_the_gate_speaks_plainly() -> None:
    pair = NearestPair("fake.mp4", "train.mp4", "pixels", 0.01, 0.01)
    copies = (Copy(pair, 0.1), Copy(replace(pair, space="frames"), 0.1))
    sentences = [
        verdict(evaluation_of(gate=gate)).sentences[1]
        for gate in (
            PASSED,
            None,
            replace(PASSED, passed=False, copies=copies),
            replace(PASSED, passed=False, note="3 held-out clips are too few."),
        )
    ]
    assert "found no copy (128 synthetic clips against 210 training clips, calibrated on 62" in sentences[0]
    assert "were not looked for" in sentences[1]
    assert "found 1 likely copy of" in sentences[2], "a clip that was found in two spaces counts once"
    assert sentences[3] == "The memorisation gate is not passed: 3 held-out clips are too few."


def test_a_fault_is_told_beside_repeats_and_its_absence_is_not() -> None:
    repeats = Repeats(40, 48, 14, 0.01, "descriptors")
    told = [
        verdict(replace(evaluation_of(score()), repeats=repeats, power=tuple(power(finest=finest)))).sentences
        for finest in (0.3, 1.0)
    ]
    assert told[0][1].startswith("What to mend first: blur")
    assert len(told[1]) == len(told[0]) - 1
    assert any("No blur" in sentence for sentence in verdict(replace(evaluation_of(), power=tuple(power()))).sentences)
