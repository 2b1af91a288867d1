# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
import torch

from evaluation.results import Copy, Evaluation, Floor, GateResult, Interval, NearestPair, Score

CLIP = torch.zeros(1, 2, 4, 4, dtype=torch.uint8)
PAIR = NearestPair("a.mp4", "b.mp4", "pixels", 0.1, 0.02, offset=1, fake_clip=CLIP, train_clip=CLIP)
GATE = GateResult(False, (Copy(PAIR, 0.2),), (PAIR,), {"pixels": 0.2}, 0.05, None, 3, 4, 5)
FLOOR = Floor(1.0, Interval(0.5, 1.5, 0.9, "range"), None)
SCORE = Score("kernel_x", "Kernel distance of x", "held_out", 2.0, None, FLOOR, 4, 3)
EVALUATION = Evaluation("a against b", {}, "0123", {}, (), (SCORE,), gate=GATE, clips={"fake": (CLIP,)})


def test_everything_but_pixels_goes_through_json() -> None:
    found = json.loads(json.dumps(EVALUATION.to_dict()))
    assert found["scores"][0]["floor"]["interval"] == {
        "low": 0.5,
        "high": 1.5,
        "level": 0.9,
        "method": "range",
        "coverage": None,
        "centre": None,
    }
    pair = found["gate"]["copies"][0]["pair"]
    assert (pair["fake"], pair["train"], pair["offset"]) == ("a.mp4", "b.mp4", 1)
    assert "fake_clip" not in pair
    assert "clips" not in found
    assert EVALUATION.clips["fake"][0] is CLIP


def test_pixels_do_not_decide_whether_pairs_are_equal() -> None:
    assert NearestPair("a.mp4", "b.mp4", "pixels", 0.1, 0.02, offset=1) == PAIR
    assert NearestPair("a.mp4", "b.mp4", "pixels", 0.1, 0.02) != PAIR


def test_what_was_found_stays_as_it_is() -> None:
    with pytest.raises(FrozenInstanceError):
        SCORE.value = 0.0  # type: ignore[misc]
