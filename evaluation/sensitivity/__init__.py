# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a distance sees of clips that are corrupted more and more; `python -m evaluation.sensitivity` tabulates it."""

from __future__ import annotations

from .curves import (
    DISTANCES,
    CorruptedFeatures,
    corrupted_features,
    corruption_curves,
    grows_throughout,
    measure_curves,
    measure_levels,
    split_halves,
)

__all__ = [
    "DISTANCES",
    "CorruptedFeatures",
    "corrupted_features",
    "corruption_curves",
    "grows_throughout",
    "measure_curves",
    "measure_levels",
    "split_halves",
]
