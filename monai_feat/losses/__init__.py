# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Losses that MONAI does not have."""

from __future__ import annotations

from monai_feat.losses.autoencoder import AutoencoderLoss, gradient_difference, kl_to_standard_normal, label_loss
from monai_feat.losses.hybrid_diffusion import HybridDiffusionLoss
from monai_feat.losses.min_snr_flow import MinSNRFlowLoss
from monai_feat.losses.rectified_flow import RectifiedFlowLoss
from monai_feat.losses.segmentation import ClipSegmentationLoss, consistency_ramp

__all__ = [
    "AutoencoderLoss",
    "ClipSegmentationLoss",
    "HybridDiffusionLoss",
    "MinSNRFlowLoss",
    "RectifiedFlowLoss",
    "consistency_ramp",
    "gradient_difference",
    "kl_to_standard_normal",
    "label_loss",
]
