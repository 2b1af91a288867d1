# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From a batch of clips to what MONAI's stock trainers take."""

from __future__ import annotations

from monai_feat.engines.mean_teacher import MeanTeacherPrepareBatch
from monai_feat.engines.prepare_batch import LatentDiffusionPrepareBatch, ReconstructionPrepareBatch

__all__ = [
    "LatentDiffusionPrepareBatch",
    "MeanTeacherPrepareBatch",
    "ReconstructionPrepareBatch",
]
