# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Power ratios: what is known of scaled clips, and how often intervals hold."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evaluation.results import Interval, PowerRatio
from evaluation.scoring.feature_cache import Sample
from evaluation.scoring.spectrum import ASPECTS, ClipSpectrum, power_ratios


def clips(count: int, scale: float = 1.0, seed: int = 0) -> Tensor:
    noise = torch.randn(count, 1, 16, 24, 24, generator=torch.Generator().manual_seed(seed))
    return (128 + 20 * scale * noise).round().clamp(0, 255).to(torch.uint8)


def sample(pixels: Tensor, groups: int | None = None) -> Sample:
    return Sample(ClipSpectrum()(pixels), [f"patient {i % (groups or len(pixels))}" for i in range(len(pixels))])


def test_clips_of_twice_the_contrast_have_four_times_the_power_in_all_bands() -> None:
    found = list(power_ratios([sample(clips(6)), sample(clips(6, seed=1))], sample(clips(12, 2.0, seed=2))))
    assert [ratio.name for ratio in found] == [aspect.name for aspect in ASPECTS]
    for ratio in found[:7]:
        assert ratio.value == pytest.approx(4.0, rel=0.1)
        assert ratio.standing == "more"


def test_still_clips_have_no_power_in_change_and_stay_finite() -> None:
    still = clips(6)[:, :, :1].expand(-1, -1, 16, -1, -1).contiguous()
    found = {ratio.name: ratio for ratio in power_ratios([sample(clips(6, seed=3))], sample(still))}
    assert found["fast_change"].standing == "less"
    assert found["fast_change"].value < 0.05
    assert found["finest"].standing == "alike"


def test_bands_that_short_clips_do_not_have_are_left_out() -> None:
    pixels = clips(4)[:, :, :2].contiguous()
    names = [ratio.name for ratio in power_ratios([sample(pixels)], sample(pixels))]
    assert "slow_change" not in names
    assert "fast_change" in names


def test_clips_of_one_patient_have_no_interval() -> None:
    (first, *_) = power_ratios([sample(clips(4), groups=1)], sample(clips(4, seed=1)))
    assert first.interval is None
    assert first.standing == "unclear"


def test_intervals_hold_the_ratio_of_laws() -> None:
    generator = torch.Generator().manual_seed(0)
    held = 0
    for _ in range(200):
        power = [torch.randn(20, 20, generator=generator, dtype=torch.float64).exp() * 100 for _ in range(2)]
        names = [f"patient {i}" for i in range(20)]
        first = next(iter(power_ratios([Sample(power[0], names)], Sample(2 * power[1], names))))
        assert first.interval is not None
        held += first.interval.low <= 2 <= first.interval.high
    assert held >= 180  # of 190 expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.5, 0.79, "less"), (1.26, 9.0, "more"), (0.81, 1.24, "alike"), (0.7, 1.1, "unclear"), (0.7, 1.3, "unclear")],
)
def test_a_ratio_stands_where_all_of_its_interval_lies(low: float, high: float, expected: str) -> None:
    assert PowerRatio("a", "A", 1.0, Interval(low, high, 0.95, "t")).standing == expected
