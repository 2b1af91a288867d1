# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Procedural clips with exact truth, deterministic by seed."""

from __future__ import annotations

from monai_feat.data.phantoms.classes import PHANTOM_CLASSES, phantom_class
from monai_feat.data.phantoms.clip import PhantomClip
from monai_feat.data.phantoms.dataset import PHANTOMS, PhantomDataset, get_phantom
from monai_feat.data.phantoms.endoscopy import endoscopy_phantom
from monai_feat.data.phantoms.heart import speckle_field
from monai_feat.data.phantoms.ultrasound import ultrasound_phantom

__all__ = [
    "PHANTOMS",
    "PHANTOM_CLASSES",
    "PhantomClip",
    "PhantomDataset",
    "endoscopy_phantom",
    "get_phantom",
    "phantom_class",
    "speckle_field",
    "ultrasound_phantom",
]
