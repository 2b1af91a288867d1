# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is ultrasound in an ultrasound clip, and changes that keep it so: detectors, transforms and dictionary twins."""

from __future__ import annotations

from monai_feat.transforms.ultrasound.array import (
    CropToField,
    DetectUltrasoundField,
    MaskOutsideField,
    RandSectorAffine,
    RandSpeckleIntensity,
    RemoveStaticOverlay,
)
from monai_feat.transforms.ultrasound.detection import MIN_CONFIDENCE, detect_field
from monai_feat.transforms.ultrasound.dictionary import (
    CropToFieldD,
    CropToFieldd,
    CropToFieldDict,
    DetectUltrasoundFieldD,
    DetectUltrasoundFieldd,
    DetectUltrasoundFieldDict,
    MaskOutsideFieldD,
    MaskOutsideFieldd,
    MaskOutsideFieldDict,
    RandSectorAffineD,
    RandSectorAffined,
    RandSectorAffineDict,
    RandSpeckleIntensityD,
    RandSpeckleIntensityd,
    RandSpeckleIntensityDict,
    RemoveStaticOverlayD,
    RemoveStaticOverlayd,
    RemoveStaticOverlayDict,
)
from monai_feat.transforms.ultrasound.geometry import RectangleGeometry, SectorGeometry, UltrasoundField
from monai_feat.transforms.ultrasound.intensity import DisplayChange, change_display, rician_speckle
from monai_feat.transforms.ultrasound.overlay import StaticMarks, detect_static_marks, fill_outside, fill_static_marks
from monai_feat.transforms.ultrasound.record import FIELD_KEY, field_of, record_field
from monai_feat.transforms.ultrasound.warp import FieldWarp, warp_field, warp_geometry

__all__ = [
    "FIELD_KEY",
    "MIN_CONFIDENCE",
    "CropToField",
    "CropToFieldD",
    "CropToFieldDict",
    "CropToFieldd",
    "DetectUltrasoundField",
    "DetectUltrasoundFieldD",
    "DetectUltrasoundFieldDict",
    "DetectUltrasoundFieldd",
    "DisplayChange",
    "FieldWarp",
    "MaskOutsideField",
    "MaskOutsideFieldD",
    "MaskOutsideFieldDict",
    "MaskOutsideFieldd",
    "RandSectorAffine",
    "RandSectorAffineD",
    "RandSectorAffineDict",
    "RandSectorAffined",
    "RandSpeckleIntensity",
    "RandSpeckleIntensityD",
    "RandSpeckleIntensityDict",
    "RandSpeckleIntensityd",
    "RectangleGeometry",
    "RemoveStaticOverlay",
    "RemoveStaticOverlayD",
    "RemoveStaticOverlayDict",
    "RemoveStaticOverlayd",
    "SectorGeometry",
    "StaticMarks",
    "UltrasoundField",
    "change_display",
    "detect_field",
    "detect_static_marks",
    "field_of",
    "fill_outside",
    "fill_static_marks",
    "record_field",
    "rician_speckle",
    "warp_field",
    "warp_geometry",
]
