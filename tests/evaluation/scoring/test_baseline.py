# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evaluation.scoring.baseline import Baseline
from evaluation.scoring.feature_cache import Sample
from evaluation.scoring.floors import DEFECTS, SPLITS
from evaluation.scoring.intervals import Regime, simulated_coverage
from monai_feat.metrics.functional import kernel_distance
from tests.evaluation.features import sample


def distance(a: Tensor, b: Tensor) -> float:
    return float((a.mean(0) - b.mean(0)).square().sum())


def kernel(a: Tensor, b: Tensor) -> float:
    return float(kernel_distance(a, b))


def test_floors_are_measured_once_and_brought_to_the_score() -> None:
    calls = []

    def counted(a: Tensor, b: Tensor) -> float:
        calls.append((len(a), len(b)))
        return distance(a, b)

    train, held_out = sample(30, 2, 0), sample(30, 2, 1)
    baseline = Baseline([train, held_out], num_fake=30)
    at_30, at_15 = (baseline.floor("d", counted, count, order=1) for count in (30, 15))
    assert set(calls) == {(30, 30)}
    assert len(calls) == SPLITS * (1 + len(DEFECTS))
    assert at_30.measured is not None
    assert at_15.measured is not None
    assert at_15.measured == pytest.approx(at_30.measured * (1 / 15 + 1 / 30) / (2 / 30))
    assert at_30.note == "measured with 30 against 30 real clips"
    assert "corrected to 15 against 30" in at_15.note
    assert "not corrected" in baseline.floor("d", counted, 15, order=None).note


@pytest.mark.parametrize(
    ("key", "order", "known"),
    [("kernel", 1, True), ("frechet", 1, True), ("frechet", None, False), ("other", 1, False)],
)
def test_the_spread_has_the_simulated_coverage_where_this_floor_was_simulated(
    key: str, order: float | None, known: bool
) -> None:
    found = Baseline([sample(150, 50, 0)], num_fake=150).floor(key, distance, 150, order)
    assert found.interval is not None
    expected = simulated_coverage(f"floor_{key}", Regime(150, 150, 50, 150, 150), 19 / 21)
    assert found.interval.coverage == (expected if known else None)
    assert (expected is not None) == (key != "other")


def test_too_few_groups_are_told() -> None:
    real = Sample(torch.randn(30, 2), [f"patient {number % 3}" for number in range(30)])
    found = Baseline([real], 30).floor("d", distance, 30, order=1)
    assert found.measured is None
    assert found.interval is None
    assert found.note == "3 groups of real clips are too few to split; 8 are needed"


def test_groups_of_unequal_size_count_as_fewer() -> None:
    groups = ["a"] * 26 + ["b"] * 17 + ["c"] * 3 + ["d"] * 2
    found = Baseline([Sample(torch.randn(48, 2), groups)], 48).floor("d", distance, 48, order=1)
    assert found.measured is None
    assert found.note == "4 groups of unequal size, as good as 2.4, of real clips are too few to split; 8 are needed"


def test_clips_of_a_patient_are_not_scaled_as_clips_of_one_law() -> None:
    real = Sample(torch.randn(60, 2), [f"patient {number % 12}" for number in range(60)])
    found = Baseline([real], 60).floor("d", distance, 60, order=1)
    assert found.scale == 1
    assert "not corrected" in found.note


def test_a_floor_says_what_it_is_blind_to() -> None:
    generator = torch.Generator().manual_seed(0)
    clips = torch.randn(200, 4, generator=generator, dtype=torch.float64)
    alone = Baseline([Sample(clips, [f"{number}" for number in range(200)])], 200)
    assert alone.floor("d", distance, 200, order=1).blind_to == ("halved all differences between clips",)  # means only
    assert alone.floor("k", kernel, 200, order=1).blind_to == ()
    centres = torch.randn(10, 4, generator=generator, dtype=torch.float64).repeat_interleave(20, dim=0)
    patients = Baseline([Sample(centres + 0.1 * clips, [f"{number // 20}" for number in range(200)])], 200)
    assert "halved all differences between clips" in patients.floor("k", kernel, 200, order=1).blind_to


def test_defects_that_nobody_asks_for_are_not_measured() -> None:
    calls = []

    def counted(a: Tensor, b: Tensor) -> float:
        calls.append(len(b))
        return distance(a, b)

    floor = Baseline([sample(40, 2, 0)], 20).floor("d", counted, 20, order=None, defects={})
    assert len(calls) == SPLITS
    assert floor.blind_to == ()
    with_defects = Baseline([sample(40, 2, 0)], 20).floor("d", distance, 20, order=None)
    assert (floor.measured, floor.interval) == (with_defects.measured, with_defects.interval)


def test_a_group_for_each_clip_is_asked_for() -> None:
    with pytest.raises(ValueError, match="group of each of 30 clips, got 4"):
        Baseline([Sample(torch.randn(30, 2), list("abcd"))], 30)
