# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Floors against closed forms, and what splits must keep together."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from evaluation.results import Floor
from evaluation.scoring.floors import SplitDistance, floor_of_splits, split_distances
from monai_feat.metrics.functional import frechet_distance_from_features, frechet_floor


def normal(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def groups(count: int, number: int | None = None) -> Tensor:
    return torch.arange(count) % (number or count)


def frechet(real: Tensor, fake: Tensor) -> float:
    return float(frechet_distance_from_features(real, fake))


def floor(real: Tensor, num_fake: int, order: float | None) -> Floor:
    return floor_of_splits(split_distances(frechet, real, groups(len(real)), num_fake), len(real), num_fake, order)


@pytest.mark.parametrize("num_fake", [50, 200, 1000])
def test_corrected_floor_agrees_with_the_closed_form(num_fake: int) -> None:
    found = [floor(normal(200, 10, seed=s), num_fake, order=1) for s in range(5)]
    expected = float(frechet_floor(torch.eye(10), 200, num_fake))
    assert sum(one.measured or 0 for one in found) / 5 == pytest.approx(expected, rel=0.12)
    for one in found:
        assert one.interval is not None
        assert one.measured is not None
        assert one.interval.low < one.measured < one.interval.high
        assert one.interval.level == pytest.approx(19 / 21)


def test_floor_of_unknown_order_is_that_of_the_parts() -> None:
    plain, corrected = (floor(normal(60, 4), 100, order) for order in (None, 1))
    assert (plain.num_real, plain.num_fake, plain.scale) == (30, 30, 1)
    assert corrected.scale == pytest.approx((1 / 60 + 1 / 100) / (2 / 30))
    assert corrected.measured == pytest.approx((plain.measured or 0) * corrected.scale)
    assert plain.note == "measured with 30 against 30 real clips, not with 60 against 100: not corrected"
    assert corrected.note.endswith("30 real clips, and corrected to 60 against 100 to first order")


def test_every_split_is_scaled_by_its_own_numbers_of_clips() -> None:
    """Groups of different sizes make parts of different sizes; a mean scale of the mean distance is another number."""
    splits = [SplitDistance(3.0, 10, 30), SplitDistance(5.0, 20, 20), SplitDistance(4.0, 30, 10)]
    found = floor_of_splits(splits, 40, 40, order=1)
    scaled = [3 * 0.05 / (1 / 10 + 1 / 30), 5 * 0.05 / (2 / 20), 4 * 0.05 / (1 / 30 + 1 / 10)]
    assert found.measured == pytest.approx(sum(scaled) / 3)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((min(scaled), max(scaled)))
    assert (found.num_real, found.num_fake) == (20, 20)
    half = floor_of_splits([replace(splits[1])], 80, 80, order=0.5)
    assert half.measured == pytest.approx(5 * 0.25**0.5)


def test_parts_of_the_right_size_need_no_correction() -> None:
    found = floor_of_splits([SplitDistance(3.0, 30, 10)] * 3, 30, 10, order=1)
    assert (found.measured, found.scale, found.note) == (3, 1, "measured with 30 against 10 real clips")


def test_few_synthetic_clips_leave_more_real_ones_on_the_other_side() -> None:
    splits = split_distances(frechet, normal(60, 4), groups(60), num_fake=10)
    assert {(split.num_real, split.num_fake) for split in splits} == {(50, 10)}


def test_groups_are_never_on_both_sides_and_the_seed_decides() -> None:
    real = torch.arange(30.0, dtype=torch.float64)[:, None]
    seen: list[set[float]] = []

    def record(a: Tensor, b: Tensor) -> float:
        assert not {v % 6 for v in a[:, 0].tolist()} & {v % 6 for v in b[:, 0].tolist()}
        seen.append(set(b[:, 0].tolist()))
        return float(a.mean() - b.mean())

    first = split_distances(record, real, groups(30, 6), 30, seed=3)
    assert split_distances(record, real, groups(30, 6), 30, seed=3) == first
    assert split_distances(record, real, groups(30, 6), 30, seed=4) != first
    assert seen[:20] == seen[20:40]


def test_a_score_without_synthetic_clips_is_refused() -> None:
    with pytest.raises(ValueError, match="num_fake is 0, expected 1 or more"):
        split_distances(frechet, normal(30, 2), groups(30), 0)
