# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Safe checkpoints, strict loading, and importers of published weights."""

from __future__ import annotations

from monai_feat.checkpoints.conditions import conditions_metadata, read_conditions
from monai_feat.checkpoints.feat_importer import UNUSED_PUBLISHED_PARAMETERS, import_feat_checkpoint
from monai_feat.checkpoints.label_channels import widen_autoencoder
from monai_feat.checkpoints.prediction_type import prediction_metadata, read_prediction_type
from monai_feat.checkpoints.sd_vae_importer import StableDiffusionAutoencoder, import_sd_vae
from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint, read_metadata, save_checkpoint
from monai_feat.checkpoints.weights import check_weights, load_weights

__all__ = [
    "UNUSED_PUBLISHED_PARAMETERS",
    "CheckpointError",
    "StableDiffusionAutoencoder",
    "check_weights",
    "conditions_metadata",
    "import_feat_checkpoint",
    "import_sd_vae",
    "load_checkpoint",
    "load_weights",
    "prediction_metadata",
    "read_conditions",
    "read_metadata",
    "read_prediction_type",
    "save_checkpoint",
    "widen_autoencoder",
]
