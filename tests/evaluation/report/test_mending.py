# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Words for faults: each kind by its bands, contrast alone where all is weak, and nothing where nothing is sure."""

from __future__ import annotations

import pytest

from evaluation.report.mending import find_faults, mending_text
from evaluation.results import Interval, PowerRatio
from evaluation.scoring.spectrum import ASPECTS


def power(spread: float = 1.05, **values: float) -> list[PowerRatio]:
    assert set(values) <= {aspect.name for aspect in ASPECTS}
    found = []
    for aspect in ASPECTS:
        value = values.get(aspect.name, 1.0)
        interval = Interval(value / spread, value * spread, 0.95, "t")
        found.append(PowerRatio(aspect.name, aspect.title, value, interval))
    return found


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, []),
        ({"fine": 0.5, "finest": 0.3}, ["blur"]),
        ({"finest": 3.0, "fast_change": 9.0}, ["noise or too sharp edges", "jumps or too quick motion"]),
        ({"slow_change": 0.2, "quick_change": 0.1, "fast_change": 0.3}, ["stillness"]),
        ({"fast_brightness": 8.0, "fast_change": 1.2}, ["flicker"]),
        ({"fast_brightness": 3.0, "fast_change": 3.0}, ["jumps or too quick motion"]),
        ({"slow_change": 2.0}, ["too much motion"]),
    ],
)
def test_faults_are_named_by_their_bands(values: dict[str, float], words: list[str]) -> None:
    assert [fault.word for fault in find_faults(power(**values))] == words


def test_weak_contrast_is_not_called_blur_and_stillness() -> None:
    everywhere = {aspect.name: 0.5 for aspect in ASPECTS}
    assert [fault.word for fault in find_faults(power(**everywhere))] == ["weak contrast"]


def test_the_sentence_gives_the_band_and_its_interval() -> None:
    text = mending_text(power(finest=0.4, slow_change=0.25))
    assert text.startswith("What to mend first: blur (finest detail has 0.400 of the power of real clips, 95")
    assert "0.381 to 0.420), then stillness (slow change has 0.250 of" in text


def test_what_is_not_sure_is_not_named() -> None:
    text = mending_text(power(spread=2.0, finest=0.5))
    assert "of 10 of 10 bands it cannot be told" in text
    assert "blur (" not in text
    assert mending_text(power()).startswith("No blur, noise, flicker or stillness")
