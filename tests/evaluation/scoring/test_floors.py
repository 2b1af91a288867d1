# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Floors against closed forms, and what splits must keep together."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evaluation.scoring.floors import measure_floor, size_ratio
from monai_feat.metrics.functional import frechet_distance_from_features, frechet_floor


def normal(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def names(count: int, groups: int | None = None) -> list[str]:
    return [f"patient {number % (groups or count)}" for number in range(count)]


def frechet(real: Tensor, fake: Tensor) -> float:
    return float(frechet_distance_from_features(real, fake))


@pytest.mark.parametrize("num_fake", [50, 200, 1000])
def test_corrected_floor_agrees_with_the_closed_form(num_fake: int) -> None:
    found = [measure_floor(frechet, normal(200, 10, seed=s), names(200), num_fake, order=1) for s in range(5)]
    expected = float(frechet_floor(torch.eye(10), 200, num_fake))
    assert sum(floor.measured or 0 for floor in found) / 5 == pytest.approx(expected, rel=0.12)
    for floor in found:
        assert floor.interval is not None
        assert floor.measured is not None
        assert floor.interval.low < floor.measured < floor.interval.high
        assert floor.interval.level == pytest.approx(19 / 21)


def test_floor_of_unknown_order_is_that_of_the_parts() -> None:
    real = normal(60, 4)
    plain = measure_floor(frechet, real, names(60), 100)
    corrected = measure_floor(frechet, real, names(60), 100, order=1)
    assert (plain.num_real, plain.num_fake, plain.scale) == (30, 30, 1)
    assert corrected.scale == pytest.approx((1 / 60 + 1 / 100) / (2 / 30))
    assert corrected.measured == pytest.approx((plain.measured or 0) * corrected.scale)
    assert "not corrected" in plain.note
    assert "30 against 30" in plain.note


def test_few_synthetic_clips_leave_more_real_ones_on_the_other_side() -> None:
    floor = measure_floor(frechet, normal(60, 4), names(60), 10, order=1)
    assert (floor.num_real, floor.num_fake) == (50, 10)


def test_groups_are_never_on_both_sides_and_the_seed_decides() -> None:
    real = torch.arange(30.0, dtype=torch.float64)[:, None]
    seen: list[set[float]] = []

    def record(a: Tensor, b: Tensor) -> float:
        assert not {v % 6 for v in a[:, 0].tolist()} & {v % 6 for v in b[:, 0].tolist()}
        seen.append(set(b[:, 0].tolist()))
        return float(a.mean() - b.mean())

    first = measure_floor(record, real, names(30, 6), 30, splits=5, seed=3)
    assert measure_floor(record, real, names(30, 6), 30, splits=5, seed=3) == first
    assert measure_floor(record, real, names(30, 6), 30, splits=5, seed=4) != first
    assert seen[:5] == seen[5:10]


def test_too_few_groups_are_told() -> None:
    floor = measure_floor(frechet, normal(30, 2), names(30, 3), 30)
    assert floor.measured is None
    assert floor.interval is None
    assert "3 groups" in floor.note


def test_ratio_of_sizes() -> None:
    assert size_ratio((100, 100), (50, 50)) == 0.5
    assert size_ratio((80, 40), (80, 40)) == 1


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="num_fake >= 1 and splits >= 3, got 5 and 1"):
        measure_floor(frechet, normal(30, 2), names(30), 5, splits=1)
    with pytest.raises(ValueError, match="group of each of 30 clips, got 4"):
        measure_floor(frechet, normal(30, 2), names(4), 5)
