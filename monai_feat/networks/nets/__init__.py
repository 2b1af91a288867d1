# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks: FEAT and the frame autoencoder whose latents it models."""

from __future__ import annotations

from .feat import FEAT, FEAT_PRESETS, FEATLayer
from .frame_autoencoder import FrameAutoencoder, sample_posterior

__all__ = ["FEAT", "FEAT_PRESETS", "FEATLayer", "FrameAutoencoder", "sample_posterior"]
