# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Segmentation of clips: one training as a function, and the same as an algorithm of MONAI's Auto3DSeg."""

from __future__ import annotations

from monai_feat.apps.auto3dseg.prediction import predict_masks, predict_probabilities
from monai_feat.apps.auto3dseg.settings import SegmentationSettings, load_segmenter
from monai_feat.apps.auto3dseg.training import WEIGHTS_NAME, train_segmenter

__all__ = [
    "WEIGHTS_NAME",
    "SegmentationSettings",
    "load_segmenter",
    "predict_masks",
    "predict_probabilities",
    "train_segmenter",
]
