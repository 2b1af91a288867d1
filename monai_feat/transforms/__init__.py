# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is done to clips between file and network."""

from __future__ import annotations

from monai_feat.transforms.augmentation import Augmentation, ClipAugmentation, RandAffineFrames, RandColour
from monai_feat.transforms.functional import Fit, resize_clip, rgb_to_grey, to_channels, to_uint8, to_unit_range
from monai_feat.transforms.labels import UNKNOWN_LABEL, join_labels, split_labels
from monai_feat.transforms.square import (
    SquareFramesd,
    UnsquareClassesd,
    square_frames,
    unsquare_classes,
    unsquare_scores,
)

__all__ = [
    "UNKNOWN_LABEL",
    "Augmentation",
    "ClipAugmentation",
    "Fit",
    "RandAffineFrames",
    "RandColour",
    "SquareFramesd",
    "UnsquareClassesd",
    "join_labels",
    "resize_clip",
    "rgb_to_grey",
    "split_labels",
    "square_frames",
    "to_channels",
    "to_uint8",
    "to_unit_range",
    "unsquare_classes",
    "unsquare_scores",
]
