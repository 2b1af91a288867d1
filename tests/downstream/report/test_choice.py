# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from downstream.report import extreme_clips
from downstream.scores import Score


def pair(patient: str, clip: str, gain: float, metric: str = "dice") -> list[Score]:
    start = 0.5 if metric == "dice" else 9.0
    return [
        Score("real", 1.0, 0, 0, patient, clip, metric, start),
        Score("new", 1.0, 0, 0, patient, clip, metric, start + gain),
    ]


def test_the_largest_gain_comes_first_and_the_largest_loss_last() -> None:
    gains = {"a": 0.1, "b": -0.3, "c": 0.4, "d": 0.0, "e": -0.1}
    scores = [score for name, gain in gains.items() for score in pair(f"patient {name}", name, gain)]
    found = extreme_clips(scores, "new", "real")
    assert [score.clip for score, _ in found] == ["c", "a", "e", "b"]
    assert [gain for _, gain in found] == pytest.approx([0.4, 0.1, -0.1, -0.3])


def test_a_shorter_distance_is_a_gain() -> None:
    scores = [*pair("p", "near", -4.0, "hd95"), *pair("q", "far", 5.0, "hd95")]
    assert [score.clip for score, _ in extreme_clips(scores, "new", "real", "hd95", 1)] == ["near", "far"]


def test_a_patient_is_shown_once_on_each_end_and_a_clip_once() -> None:
    scores = [*pair("p", "a", 0.4), *pair("p", "b", 0.3), *pair("q", "c", 0.1)]
    assert [score.clip for score, _ in extreme_clips(scores, "new", "real", count=2)] == ["a", "c"]


def test_arms_without_a_common_clip_are_refused() -> None:
    with pytest.raises(ValueError, match="no dice of the same clip in common"):
        extreme_clips([*pair("p", "a", 0.1)], "old", "real")
