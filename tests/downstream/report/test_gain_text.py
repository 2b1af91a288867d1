# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers in words."""

from __future__ import annotations

import pytest

from downstream.metric_table import METRICS
from downstream.report.findings import ArmMean, find
from downstream.report.gain_text import gain_text, mean_text, of_real_data, p_text, signed, unit_text
from downstream.statistics import Effect
from tests.downstream.report.studies import draw, small_study

QUESTION = "real + synthetic x1"


@pytest.mark.parametrize(
    ("value", "width", "expected"),
    [
        (0.5, None, "+0.500"),
        (-0.5, None, "−0.500"),
        (0.0, None, "0"),
        (0.004, 1.0, "0.0"),  # rounded to nothing, a gain has no sign
        (-0.004, 1.0, "0.0"),
        (12.345, 0.3, "+12.35"),
    ],
)
def test_a_gain_has_a_sign_where_it_is_seen(value: float, width: float | None, expected: str) -> None:
    assert signed(value, width) == expected


def test_a_gain_is_told_with_its_interval_and_as_precisely_as_that_allows() -> None:
    (one,) = find(small_study()).comparisons
    low, high = one.effect.interval() or (0.0, 0.0)
    assert gain_text(one) == f"+{one.gain:.4f} (95\xa0% interval {low:.4f} to {high:.4f})"
    scores = draw({"real": 0.0, QUESTION: 0.1}, folds=1, patients=1)
    (alone,) = find(small_study(scores=scores)).comparisons
    assert gain_text(alone) == f"+{alone.gain:#.3g} (one patient: no interval)"


def test_a_mean_is_told_as_precisely_as_its_interval_allows() -> None:
    spread = Effect(0.71234, (), by_patient=0.01, patients=6)
    assert mean_text(ArmMean("real", 1.0, "dice", spread)) == "0.71"
    unknown = Effect(0.71234, ())
    assert mean_text(ArmMean("real", 1.0, "dice", unknown)) == "0.712"
    assert mean_text(None) == "–"


@pytest.mark.parametrize(
    ("p", "expected"), [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "0.001"), (0.0467, "0.047"), (1.0, "1")]
)
def test_small_p_values_are_no_zeros(p: float, expected: str) -> None:
    assert p_text(p) == expected


def test_fractions_and_units() -> None:
    assert [of_real_data(share) for share in (1.0, 0.25)] == ["with all real data", "with 25\xa0% of the real data"]
    assert unit_text(METRICS["dice"]) == "Dice"
    assert unit_text(METRICS["hd95"]) == f"95 % Hausdorff distance, {METRICS['hd95'].unit}"
