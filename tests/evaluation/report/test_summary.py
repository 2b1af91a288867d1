# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.report.summary import Standing, standing, summarise
from evaluation.results import Evaluation, Floor, Interval, Score

FLOOR = Floor(1.0, Interval(0.8, 1.2, 0.9, "range"), None)
SCORE = Score("kernel_x", "Kernel distance of x", "held_out", 1.1, None, FLOOR, 60, 50, lead=True)


def around(low: float, high: float) -> Interval:
    return Interval(low, high, 0.95, "jackknife")


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (SCORE, "like real"),
        (replace(SCORE, value=3.0), "apart"),
        (replace(SCORE, value=1.3), "unclear"),
        (replace(SCORE, value=3.0, interval=around(2.0, 4.0)), "apart"),
        (replace(SCORE, value=3.0, interval=around(1.1, 4.0)), "unclear"),
        (replace(SCORE, value=0.5, higher_is_better=True), "apart"),
        (replace(SCORE, value=0.9, higher_is_better=True), "like real"),
        (replace(SCORE, value=0.7, higher_is_better=True), "unclear"),
        (replace(SCORE, value=0.5, higher_is_better=True, interval=around(0.1, 0.9)), "unclear"),
        (replace(SCORE, meaningful=False), "not to be read"),
        (replace(SCORE, floor=None), "no floor"),
        (replace(SCORE, floor=Floor(None, None, 2.0)), "like real"),
    ],
)
def test_standing(score: Score, expected: Standing) -> None:
    assert standing(score) == expected


def test_the_summary_leads_with_the_verdict_and_the_held_out_reference() -> None:
    scores = (
        SCORE,
        replace(SCORE, metric="property_motion", title="Motion", unit="pixels/frame", lead=False),
        replace(SCORE, reference="train", title="Kernel distance against training", lead=False),
        replace(SCORE, metric="authenticity_x", title="AuthPct in x", reference="train", higher_is_better=True),
    )
    protocol = {"num_fake": 50, "num_real": {"train": 70, "held_out": 60}, "preset": "strict"}
    evaluation = Evaluation("a against b", protocol, "0123456789ab", {}, ("codecs differ",), scores)
    text = summarise(evaluation)
    assert text.index("Kernel distance of x against held-out") < text.index("! codecs differ") < text.index("* Kernel")
    assert "Against held-out real clips (50 synthetic, 60 real)" in text
    assert "Kernel distance against training" not in text
    assert "AuthPct in x" in text
    assert "1.10 pixels/frame" in text
    assert "cannot be told from real at this N" in text
    assert "Protocol 0123456789ab (strict)." in text
