# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The metrics of a study: how each is called and read. `metrics.score_clip` computes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["METRICS", "TOLERANCE", "Metric"]

TOLERANCE = 2.0
"""By how much two outlines may differ and still agree, in the unit of the spacing: pixels, unless one is given."""


@dataclass(frozen=True)
class Metric:
    """How one number is called and read.

    Attributes:
        title: for people.
        unit: empty for none.
        higher_is_better: else lower is.
        low: the least it can be.
        high: the most it can be; infinite where the size of the picture decides.
    """

    title: str
    unit: str
    higher_is_better: bool
    low: float = 0.0
    high: float = 1.0


METRICS: dict[str, Metric] = {
    "dice": Metric("Dice", "", higher_is_better=True),
    "surface_dice": Metric("Normalised surface distance", "", higher_is_better=True),
    "hd95": Metric("95 % Hausdorff distance", "pixels", higher_is_better=False, high=math.inf),
    "lesion_recall": Metric("Lesions found", "", higher_is_better=True),
    "false_positive_frames": Metric("False positives on empty frames", "", higher_is_better=False),
    "temporal_consistency": Metric("Temporal consistency", "", higher_is_better=True),
}
