# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What lets MONAI's stock trainers and bundles train and sample the networks of this package."""

from __future__ import annotations

from monai_feat.engines.best_weights import BestWeights
from monai_feat.engines.bundle_sampling import sample_bundle
from monai_feat.engines.clip_saver import ClipSaver, SampleSheet
from monai_feat.engines.conditions import drop_conditions, training_context
from monai_feat.engines.config_check import ConfigKeyError, check_config, find_unused_keys, running_config
from monai_feat.engines.discriminator import DiscriminatorUpdate
from monai_feat.engines.epoch_seed import EpochSeed, ValidationSeed, clip_seeds
from monai_feat.engines.gradients import GradientGuard, NonFiniteGradientError
from monai_feat.engines.mean_teacher import MeanTeacherPrepareBatch
from monai_feat.engines.metric_handler import SampleMetricHandler, TorchMetricHandler
from monai_feat.engines.output import claim_output_dir, epoch_of, find_checkpoint
from monai_feat.engines.prepare_batch import LatentDiffusionPrepareBatch, ReconstructionPrepareBatch
from monai_feat.engines.processes import anywhere, join_processes, local_device
from monai_feat.engines.progress import SamplingProgress, TrainingProgress
from monai_feat.engines.prompts import PromptPrepareBatch
from monai_feat.engines.provenance import run_provenance
from monai_feat.engines.sample_folder import SampleFolder
from monai_feat.engines.schedules import StepSchedule, WeightAverage, final_decay, share_done, warmup_cosine
from monai_feat.engines.sharding import (
    ShardedWeightAverage,
    WholeState,
    load_whole_state,
    save_weights,
    shard_layers,
    whole_state,
    whole_tensor,
)
from monai_feat.engines.shared_batches import SharedBatches
from monai_feat.engines.steps import num_steps, steps_now
from monai_feat.engines.time_budget import TimeBudget

__all__ = [
    "BestWeights",
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
    "SamplingProgress",
    "ShardedWeightAverage",
    "SharedBatches",
    "StepSchedule",
    "TimeBudget",
    "TorchMetricHandler",
    "TrainingProgress",
    "ValidationSeed",
    "WeightAverage",
    "WholeState",
    "anywhere",
    "check_config",
    "claim_output_dir",
    "clip_seeds",
    "drop_conditions",
    "epoch_of",
    "final_decay",
    "find_checkpoint",
    "find_unused_keys",
    "join_processes",
    "load_whole_state",
    "local_device",
    "num_steps",
    "run_provenance",
    "running_config",
    "sample_bundle",
    "save_weights",
    "shard_layers",
    "share_done",
    "steps_now",
    "training_context",
    "warmup_cosine",
    "whole_state",
    "whole_tensor",
]
