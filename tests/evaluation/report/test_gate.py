# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

from evaluation.report.gate import gate_section
from evaluation.report.pictures import PLANS
from evaluation.results import Copy, GateResult, NearestPair
from tests.evaluation.report.examples import full_evaluation


def gate() -> GateResult:
    found = full_evaluation().gate
    assert found is not None
    return found


def test_copies_come_first_and_by_name() -> None:
    section = gate_section(gate(), 10.0, PLANS[0])
    assert section.index("Copies found") < section.index("Likely copies") < section.index("Pair 1: likely copy")
    assert section.index("Pair 1: likely copy") < section.index("Pair 2: among the nearest")
    assert "&lt;script&gt;" in section
    assert "patient 17/a.mp4" in section
    assert "<td>mirrored</td>" in section


def test_a_pair_that_was_found_twice_is_shown_once() -> None:
    found = gate()
    again = Copy(replace(found.copies[0].pair, space="frames"), 0.044)
    section = gate_section(replace(found, copies=(*found.copies, again)), 10.0, PLANS[0])
    assert section.count("<h3>Pair 1: likely copy</h3>") == 1
    assert "Pair 2: likely copy" not in section
    assert "1 synthetic clip nearer to" in section


def test_the_calibration_is_told() -> None:
    section = gate_section(gate(), 10.0, PLANS[0])
    assert "at most 5\N{NO-BREAK SPACE}% of clips" in section
    assert "4.7\N{NO-BREAK SPACE}% of clips were near and 3\N{NO-BREAK SPACE}% of sets failed" in section
    assert "62 held-out clips of 20 patients" in section
    assert "0.0830" in section
    silent = gate_section(replace(gate(), simulated_false_positive_rate=None), 10.0, PLANS[0])
    assert "too few held-out clips to simulate" in silent


def test_passed_not_passed_and_not_run_are_told_apart() -> None:
    passed = replace(gate(), passed=True, copies=())
    assert "No copies found" in gate_section(passed, 10.0, PLANS[0])
    unclear = gate_section(
        replace(passed, passed=False, note="3 held-out clips are few.", thresholds={}), 1.0, PLANS[0]
    )
    assert "Not passed" in unclear
    assert "3 held-out clips are few." in unclear
    assert "No copies found" not in unclear
    assert "Not run" in gate_section(None, 10.0, PLANS[0])


def test_many_copies_keep_the_page_light() -> None:
    copies = tuple(Copy(NearestPair(f"{i}", "t", "pixels", 0.01, 0.01), 0.1) for i in range(500))
    section = gate_section(replace(gate(), copies=copies), 10.0, PLANS[0])
    assert "300 more copies in the JSON file" in section
    assert "491 more pairs left out" in section
    assert len(section) < 200_000
