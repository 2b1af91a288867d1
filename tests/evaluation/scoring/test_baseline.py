# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from torch import Tensor

from evaluation.scoring.baseline import Baseline
from tests.evaluation.features import sample


def test_floors_are_measured_once_and_brought_to_the_score() -> None:
    calls = []

    def distance(a: Tensor, b: Tensor) -> float:
        calls.append((len(a), len(b)))
        return float((a.mean(0) - b.mean(0)).square().sum())

    train, held_out = sample(30, 2, 0), sample(30, 2, 1)
    baseline = Baseline([train, held_out], num_fake=30)
    at_30, at_15 = (baseline.floor("d", distance, count, order=1) for count in (30, 15))
    assert set(calls) == {(30, 30)}
    assert len(calls) == 20
    assert at_30.measured is not None
    assert at_15.measured is not None
    assert at_15.measured == pytest.approx(at_30.measured * (1 / 15 + 1 / 30) / (2 / 30))
    assert at_30.note == "measured with 30 against 30 real clips"
    assert "corrected to 15 against 30" in at_15.note
    assert "not corrected" in baseline.floor("d", distance, 15).note
