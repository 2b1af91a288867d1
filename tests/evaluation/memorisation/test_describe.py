# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from evaluation.memorisation import describe
from evaluation.results import Copy, GateResult, NearestPair

PAIR = NearestPair("synthetic.mp4", "patient_7.mp4", "frames", 0.0123, 1 / 65, offset=-2, flipped=True)
CLEAN = GateResult(True, (), (PAIR,) * 5, {"frames": 0.2}, 0.05, 0.048, 64, 128, 64, "", 0.015, 1, 9, 32)


def test_clean_clips_are_told_with_the_nearest_pairs_and_rates() -> None:
    lines = describe(CLEAN).splitlines()
    assert lines[0] == (
        "Memorisation gate: passed; no synthetic clip repeats a training clip (64 synthetic, 128 training clips)"
    )
    assert sum("synthetic.mp4" in line for line in lines) == 3
    assert "64 held-out clips of 32 patients" in lines[-1]
    assert "4.8% of clips are near and 1.5% of gates fail" in lines[-1]


def test_every_copy_is_named_with_how_it_matches() -> None:
    result = replace(CLEAN, passed=False, copies=(Copy(PAIR, 0.2), Copy(replace(PAIR, fake="other.mp4"), 0.2)))
    text = describe(result)
    assert "FAILED; 2 of 64 synthetic clips repeat training clips" in text
    assert (
        "synthetic.mp4 <- patient_7.mp4: distance 0.012 (in frames, mirrored, 2 frames earlier), p 0.015, limit 0.200"
    ) in text
    assert "other.mp4" in text


def test_a_gate_that_could_not_be_calibrated_says_so() -> None:
    result = replace(
        CLEAN, passed=False, note="Not calibrated: 9 held-out patients", simulated_false_positive_rate=None
    )
    text = describe(result)
    assert "FAILED; it cannot be trusted" in text
    assert "Not calibrated: 9 held-out patients" in text
    assert "too few of them to simulate" in text
