# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks: FEAT and its peers, the frame autoencoder whose latents they model, and a segmenter of clips."""

from __future__ import annotations

from .clean_prediction_feat import CleanPredictionFEAT
from .clip_segmenter import ClipSegmenter, Context
from .clip_unet import ClipUNet
from .feat import FEAT, FEAT_PRESETS, FEATLayer
from .frame_autoencoder import FrameAutoencoder, sample_posterior
from .latte import Latte
from .stable_diffusion_autoencoder import StableDiffusionAutoencoder

__all__ = [
    "FEAT",
    "FEAT_PRESETS",
    "CleanPredictionFEAT",
    "ClipSegmenter",
    "ClipUNet",
    "Context",
    "FEATLayer",
    "FrameAutoencoder",
    "Latte",
    "StableDiffusionAutoencoder",
    "sample_posterior",
]
