# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that turn clips or frames into feature vectors."""

from __future__ import annotations

from monai_feat.metrics.features.base import FeatureNetwork, check_features, to_rgb

__all__ = ["FeatureNetwork", "check_features", "to_rgb"]
