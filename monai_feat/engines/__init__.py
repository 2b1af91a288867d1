# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What lets MONAI's stock trainers and bundles train and sample the networks of this package."""

from __future__ import annotations

from monai_feat.engines.clip_saver import ClipSaver, SampleSheet
from monai_feat.engines.conditions import drop_conditions, training_context
from monai_feat.engines.config_check import ConfigKeyError, check_config, find_unused_keys
from monai_feat.engines.discriminator import DiscriminatorUpdate
from monai_feat.engines.epoch_seed import EpochSeed
from monai_feat.engines.gradients import GradientGuard, NonFiniteGradientError
from monai_feat.engines.mean_teacher import MeanTeacherPrepareBatch
from monai_feat.engines.metric_handler import SampleMetricHandler, TorchMetricHandler
from monai_feat.engines.output import claim_output_dir, epoch_of, find_checkpoint
from monai_feat.engines.prepare_batch import LatentDiffusionPrepareBatch, ReconstructionPrepareBatch
from monai_feat.engines.progress import TrainingProgress
from monai_feat.engines.prompts import PromptPrepareBatch
from monai_feat.engines.sample_folder import SampleFolder
from monai_feat.engines.schedules import WeightAverage, warmup_cosine
from monai_feat.engines.time_budget import TimeBudget

__all__ = [
    "ClipSaver",
    "ConfigKeyError",
    "DiscriminatorUpdate",
    "EpochSeed",
    "GradientGuard",
    "LatentDiffusionPrepareBatch",
    "MeanTeacherPrepareBatch",
    "NonFiniteGradientError",
    "PromptPrepareBatch",
    "ReconstructionPrepareBatch",
    "SampleFolder",
    "SampleMetricHandler",
    "SampleSheet",
    "TimeBudget",
    "TorchMetricHandler",
    "TrainingProgress",
    "WeightAverage",
    "check_config",
    "claim_output_dir",
    "drop_conditions",
    "epoch_of",
    "find_checkpoint",
    "find_unused_keys",
    "training_context",
    "warmup_cosine",
]
