# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Safe checkpoints, strict loading, and weights that describe themselves."""

from __future__ import annotations

from monai_feat.checkpoints.description import ClipFormat, Description, Diffusion, read_description
from monai_feat.checkpoints.label_channels import widen_autoencoder
from monai_feat.checkpoints.pretrained import EARLY_WEIGHTS, Pretrained, find_early_weights, find_weights
from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint, read_metadata, save_checkpoint
from monai_feat.checkpoints.weights import check_weights, load_weights

__all__ = [
    "EARLY_WEIGHTS",
    "CheckpointError",
    "ClipFormat",
    "Description",
    "Diffusion",
    "Pretrained",
    "check_weights",
    "find_early_weights",
    "find_weights",
    "load_checkpoint",
    "load_weights",
    "read_description",
    "read_metadata",
    "save_checkpoint",
    "widen_autoencoder",
]
