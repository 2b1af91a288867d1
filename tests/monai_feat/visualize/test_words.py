# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from monai_feat.visualize import count, join_words, percent


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(0, "clip", "0 clips"), (1, "copy", "1 copy"), (1200, "study", "1\N{THIN SPACE}200 studies")],
)
def test_nouns_follow_their_number(number: int, noun: str, said: str) -> None:
    assert count(number, noun) == said


def test_shares_never_round_up_to_certainty() -> None:
    assert percent(0.997) == "99.7\N{NO-BREAK SPACE}%"
    assert percent(0.0004) == "0.04\N{NO-BREAK SPACE}%"


def test_lists_are_said_as_people_say_them() -> None:
    assert join_words(["a"]) == "a"
    assert join_words(("a", "b")) == "a and b"
    assert join_words([]) == ""
