# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The frame rate that stands for the clips of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from torch.utils.data import Dataset

__all__ = ["typical_frame_rate"]

_LOOKED_AT = 16


def typical_frame_rate(dataset: Dataset[Mapping[str, Any]]) -> float | None:
    """Return the median of what clips all over a data set say under ``frame_rate``, Hz; None where none says any.

    Example:
        >>> typical_frame_rate([{"frame_rate": rate} for rate in (18.0, 25.0, 0.0, 39.0)])
        25.0
    """
    length = len(dataset)  # type: ignore[arg-type]
    count = min(length, _LOOKED_AT)
    rates = [float(dataset[i * length // count]["frame_rate"]) for i in range(count)]
    return median(known) if (known := [rate for rate in rates if rate > 0]) else None
