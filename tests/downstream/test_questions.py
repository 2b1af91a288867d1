# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest

from downstream.arms import get_arm
from downstream.questions import Question, leading_arm


def test_the_leading_arm_is_chosen_by_its_dose() -> None:
    names = ["real", "synthetic only", "real + synthetic x4", "real + synthetic x0.5", "real + copies"]
    assert leading_arm([get_arm(name) for name in names]) == "real + synthetic x0.5"
    assert leading_arm([get_arm(name) for name in names[:2]]) == "synthetic only"
    assert leading_arm([get_arm("real"), get_arm("real + copies")]) is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ask": "superiority"}, "one of benefit, non-inferiority, equivalence; got 'superiority'"),
        ({"against": "a"}, "'a' against itself"),
        ({"margin": 0.0}, "margin of a question is above 0"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Question("a", **changes)
