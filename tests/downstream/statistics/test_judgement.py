# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from downstream.statistics import VERDICTS, judge


@pytest.mark.parametrize(
    ("gain", "p_different", "p_equivalent", "verdict"),
    [
        (0.05, 0.001, 0.9, "helps"),
        (-0.05, 0.001, 0.9, "harms"),
        (0.004, 0.001, 0.001, "no relevant difference"),  # it is not zero, but too small to matter
        (0.0, 1.0, 0.04, "no relevant difference"),
        (0.05, 0.05, 0.9, "cannot be told"),
    ],
)
def test_verdicts(gain: float, p_different: float, p_equivalent: float, verdict: str) -> None:
    assert judge(gain, p_different, p_equivalent) == verdict
    assert verdict in VERDICTS


def test_a_stricter_test_says_less() -> None:
    assert judge(0.05, 0.03, 0.9, alpha=0.01) == "cannot be told"
