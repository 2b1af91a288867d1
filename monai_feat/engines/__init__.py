# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From a batch of clips to what MONAI's stock trainers take."""

from __future__ import annotations

from monai_feat.engines.conditions import drop_conditions, training_context
from monai_feat.engines.mean_teacher import MeanTeacherPrepareBatch
from monai_feat.engines.prepare_batch import LatentDiffusionPrepareBatch, ReconstructionPrepareBatch
from monai_feat.engines.prompts import PromptPrepareBatch

__all__ = [
    "LatentDiffusionPrepareBatch",
    "MeanTeacherPrepareBatch",
    "PromptPrepareBatch",
    "ReconstructionPrepareBatch",
    "drop_conditions",
    "training_context",
]
