# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is done to clips between file and network."""

from __future__ import annotations

from monai_feat.transforms.functional import Fit, resize_clip, rgb_to_grey, to_uint8, to_unit_range

__all__ = ["Fit", "resize_clip", "rgb_to_grey", "to_uint8", "to_unit_range"]
