# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Handlers of ignite engines, for MONAI's stock trainers and evaluators."""

from __future__ import annotations

from monai_feat.handlers.best_weights import BestWeights
from monai_feat.handlers.checkpoints import AtomicDiskSaver, SafeCheckpointLoader, SafeCheckpointSaver
from monai_feat.handlers.clip_saver import ClipSaver, SampleSheet
from monai_feat.handlers.denoising import DenoisingReport, denoising_panels, draw_latents
from monai_feat.handlers.discriminator import DiscriminatorUpdate
from monai_feat.handlers.early_weights import EarlyWeights
from monai_feat.handlers.epoch_seed import EpochSeed, ValidationSeed, clip_seeds
from monai_feat.handlers.gradients import GradientGuard, NonFiniteGradientError
from monai_feat.handlers.metric_handler import SampleMetricHandler, TorchMetricHandler
from monai_feat.handlers.progress import SamplingProgress, TrainingProgress
from monai_feat.handlers.reconstruction_sheet import save_reconstruction_sheet
from monai_feat.handlers.schedules import ExponentialMovingAverage, StepSchedule, final_decay, share_done, warmup_cosine
from monai_feat.handlers.sharded_ema import ShardedExponentialMovingAverage
from monai_feat.handlers.steps import num_steps, steps_now
from monai_feat.handlers.time_budget import TimeBudget
from monai_feat.handlers.validation import ValidationAndLast

__all__ = [
    "AtomicDiskSaver",
    "BestWeights",
    "ClipSaver",
    "DenoisingReport",
    "DiscriminatorUpdate",
    "EarlyWeights",
    "EpochSeed",
    "ExponentialMovingAverage",
    "GradientGuard",
    "NonFiniteGradientError",
    "SafeCheckpointLoader",
    "SafeCheckpointSaver",
    "SampleMetricHandler",
    "SampleSheet",
    "SamplingProgress",
    "ShardedExponentialMovingAverage",
    "StepSchedule",
    "TimeBudget",
    "TorchMetricHandler",
    "TrainingProgress",
    "ValidationAndLast",
    "ValidationSeed",
    "clip_seeds",
    "denoising_panels",
    "draw_latents",
    "final_decay",
    "num_steps",
    "save_reconstruction_sheet",
    "share_done",
    "steps_now",
    "warmup_cosine",
]
