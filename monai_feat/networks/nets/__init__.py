# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks: FEAT, the frame autoencoder whose latents it models, and a segmenter of clips."""

from __future__ import annotations

from .clip_segmenter import ClipSegmenter, Context
from .feat import FEAT, FEAT_PRESETS, FEATLayer
from .frame_autoencoder import FrameAutoencoder, sample_posterior
from .stable_diffusion_autoencoder import StableDiffusionAutoencoder

__all__ = [
    "FEAT",
    "FEAT_PRESETS",
    "ClipSegmenter",
    "Context",
    "FEATLayer",
    "FrameAutoencoder",
    "StableDiffusionAutoencoder",
    "sample_posterior",
]
