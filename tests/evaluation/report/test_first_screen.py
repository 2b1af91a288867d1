# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from evaluation.memorisation.calibration import groups_needed
from evaluation.report.first_screen import FALSE_POSITIVE_RATE, can_be_judged, first_screen
from evaluation.report.pictures import PLANS
from tests.evaluation.report.examples import empty_evaluation, full_evaluation

NEEDED = groups_needed(FALSE_POSITIVE_RATE)


def sources(train: int, held_out: int | None) -> dict[str, dict[str, Any]]:
    sides = {"train": {"clips": 40, "groups": train}, "fake": {"clips": 9, "groups": 9}}
    return sides if held_out is None else {**sides, "held_out": {"clips": 50, "groups": held_out}}


@pytest.mark.parametrize(
    ("train", "held_out", "is_possible", "said"),
    [
        (5, NEEDED, True, f"Yes: .* {NEEDED} held-out patients"),
        (5, NEEDED - 1, False, f"In part: .*needs {NEEDED} held-out patients, 1 more"),
        (5, None, False, "In part: .*No real clips are held out"),
        (1, NEEDED, False, "No: .*one patient"),
    ],
)
def test_the_answer_depends_on_patients(train: int, held_out: int | None, is_possible: bool, said: str) -> None:
    evaluation = replace(empty_evaluation(), sources=sources(train, held_out))
    found, text = can_be_judged(evaluation)
    assert found is is_possible
    assert re.search(said, text)
    assert "9 clips" in text


def test_both_sides_stand_beside_each_other_before_any_number() -> None:
    page = first_screen(full_evaluation(), PLANS[0])
    text = str(page)
    assert text.index("Can this be judged?") < text.index("real, clip 1") < text.index("synthetic, clip 1")
    assert "clip 4" not in text


def test_without_clips_or_room_there_are_no_pictures() -> None:
    for evaluation, plan in ((empty_evaluation(), PLANS[0]), (full_evaluation(), PLANS[-1])):
        assert "clip 1" not in str(first_screen(evaluation, plan))
