# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Segmentation of clips: one training as a function, and the same as an algorithm of MONAI's Auto3DSeg."""

from __future__ import annotations

from monai_feat.apps.auto3dseg.algorithm import (
    ClipPredictor,
    choose_parameters,
    read_parameters,
    template_folder,
    train_fold,
)
from monai_feat.apps.auto3dseg.analysis import ClipStats, analyze_clips, read_stats, write_stats
from monai_feat.apps.auto3dseg.prediction import predict_masks, predict_probabilities
from monai_feat.apps.auto3dseg.runner import make_runner
from monai_feat.apps.auto3dseg.sampling import TrainingSamples, open_training_samples
from monai_feat.apps.auto3dseg.settings import SegmentationSettings, load_segmenter
from monai_feat.apps.auto3dseg.training import WEIGHTS_NAME, train_segmenter

__all__ = [
    "WEIGHTS_NAME",
    "ClipPredictor",
    "ClipStats",
    "SegmentationSettings",
    "TrainingSamples",
    "analyze_clips",
    "choose_parameters",
    "load_segmenter",
    "make_runner",
    "open_training_samples",
    "predict_masks",
    "predict_probabilities",
    "read_parameters",
    "read_stats",
    "template_folder",
    "train_fold",
    "train_segmenter",
    "write_stats",
]
