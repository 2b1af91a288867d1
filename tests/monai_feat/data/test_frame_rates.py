# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from statistics import median

import pytest

from monai_feat.data import typical_frame_rate


class Rates:
    """A data set that counts what it is asked for."""

    def __init__(self, rates: list[float]) -> None:
        self.rates, self.asked = rates, 0

    def __len__(self) -> int:
        return len(self.rates)

    def __getitem__(self, index: int) -> dict[str, float]:
        self.asked += 1
        return {"frame_rate": self.rates[index]}


def test_it_is_the_median_of_known_rates() -> None:
    rates = [18.0, 39.0, 0.0, 25.0, 30.0]
    assert typical_frame_rate(Rates(rates)) == median([18.0, 39.0, 25.0, 30.0])  # type: ignore[arg-type]


@pytest.mark.parametrize("rates", [[], [0.0, 0.0]])
def test_stills_have_none(rates: list[float]) -> None:
    assert typical_frame_rate(Rates(rates)) is None  # type: ignore[arg-type]


def test_of_many_clips_some_all_over_are_looked_at() -> None:
    many = Rates([10.0] * 100 + [20.0] * 900)
    assert typical_frame_rate(many) == 20.0  # type: ignore[arg-type]
    assert many.asked < 100
