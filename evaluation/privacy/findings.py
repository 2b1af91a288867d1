# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What membership inference on weights found: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["LEVEL", "Membership", "TruePositiveRate"]

LEVEL = 0.05
"""Chance that weights which tell nothing are said to tell their training patients."""


@dataclass(frozen=True)
class TruePositiveRate:
    """How much of the training is found where so much of what was held out is taken for training.

    Attributes:
        unit: what is counted.
        false_positive_rate: share of held-out patients, or of their clips.
        value: share of the training that is found; None where there are too few held-out patients to tell.
        interval: of `value`, 95 %; None likewise.
    """

    unit: Literal["clip", "patient"]
    false_positive_rate: float
    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Membership:
    """Whether weights tell the patients that they were trained on from others.

    Attributes:
        weights: where they lie.
        rates: true-positive rates.
        by_error: chance that a training patient has a smaller error than a held-out one, by kind of error; 0.5 if the
            weights tell nothing.
        p_value: of weights that tell nothing; of the share of patients that is found, and of the order of all.
        num_clips: training and held-out clips.
        num_patients: training and held-out patients.
        needed: held-out patients without whom 5 % false positives cannot be told.
    """

    weights: str
    rates: tuple[TruePositiveRate, ...]
    by_error: Mapping[str, float]
    p_value: float
    num_clips: tuple[int, int]
    num_patients: tuple[int, int]
    needed: int

    @property
    def is_calibrated(self) -> bool:
        """Whether there are enough held-out patients to tell 5 %."""
        return self.num_patients[1] >= self.needed

    @property
    def tells(self) -> bool:
        """Whether the weights tell training patients from others."""
        return self.p_value <= LEVEL

    @property
    def passed(self) -> bool:
        """Whether the attack could be calibrated, and failed."""
        return self.is_calibrated and not self.tells
