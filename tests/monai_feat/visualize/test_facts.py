# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.visualize import fact_text, flat_facts


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (True, "yes"), (0, "0"), (0.1 + 0.2, "0.3"), ([], "none"), ({"a_b": (1, None)}, "a b: 1, none"),
        (Path("a/b"), "a/b"),
    ],
)  # fmt: skip
def test_facts_are_said_in_words(fact: object, said: str) -> None:
    assert fact_text(fact) == said


def test_no_fact_is_lost_however_deep() -> None:
    facts = {"a": {"b": {"c": 1, "d": {}}}, "e": False}
    assert flat_facts(facts) == {"a · b · c": "1", "a · b · d": "none", "e": "no"}
    assert flat_facts({}) == {}
