# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is picture and what is not in an endoscopic clip: detectors, array transforms and dictionary twins."""

from __future__ import annotations

from monai_feat.transforms.endoscopy.array import (
    CropToFieldOfView,
    DetectFieldOfView,
    DetectSpecularHighlights,
    MaskBurntIn,
    RemoveBurntIn,
)
from monai_feat.transforms.endoscopy.burnt_in import BurntIn, BurntInRegion, detect_burnt_in
from monai_feat.transforms.endoscopy.dictionary import (
    CropToFieldOfViewD,
    CropToFieldOfViewd,
    CropToFieldOfViewDict,
    DetectFieldOfViewD,
    DetectFieldOfViewd,
    DetectFieldOfViewDict,
    DetectSpecularHighlightsD,
    DetectSpecularHighlightsd,
    DetectSpecularHighlightsDict,
    MaskBurntInD,
    MaskBurntInd,
    MaskBurntInDict,
    RemoveBurntInD,
    RemoveBurntInd,
    RemoveBurntInDict,
)
from monai_feat.transforms.endoscopy.field_of_view import Box, FieldOfView, detect_field_of_view
from monai_feat.transforms.endoscopy.fill import fill_from_around
from monai_feat.transforms.endoscopy.specular import SpecularHighlights, detect_specular_highlights

__all__ = [
    "Box",
    "BurntIn",
    "BurntInRegion",
    "CropToFieldOfView",
    "CropToFieldOfViewD",
    "CropToFieldOfViewDict",
    "CropToFieldOfViewd",
    "DetectFieldOfView",
    "DetectFieldOfViewD",
    "DetectFieldOfViewDict",
    "DetectFieldOfViewd",
    "DetectSpecularHighlights",
    "DetectSpecularHighlightsD",
    "DetectSpecularHighlightsDict",
    "DetectSpecularHighlightsd",
    "FieldOfView",
    "MaskBurntIn",
    "MaskBurntInD",
    "MaskBurntInDict",
    "MaskBurntInd",
    "RemoveBurntIn",
    "RemoveBurntInD",
    "RemoveBurntInDict",
    "RemoveBurntInd",
    "SpecularHighlights",
    "detect_burnt_in",
    "detect_field_of_view",
    "detect_specular_highlights",
    "fill_from_around",
]
