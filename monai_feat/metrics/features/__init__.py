# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that turn clips or frames into feature vectors."""

from __future__ import annotations

from monai_feat.metrics.features.base import FeatureNetwork, check_features, to_rgb
from monai_feat.metrics.features.descriptors import DescriptorFeatures
from monai_feat.metrics.features.i3d import I3DFeatures
from monai_feat.metrics.features.inception import InceptionFeatures
from monai_feat.metrics.features.inception_v3 import InceptionV3
from monai_feat.metrics.features.published import PublishedFeatures
from monai_feat.metrics.features.random_video import RandomVideoFeatures
from monai_feat.metrics.features.video_mae import VideoMAE, VideoMAEFeatures, resize_for_cdfvd
from monai_feat.metrics.features.weights import PUBLISHED, PublishedWeights, WeightsError, fetch_weights, weights_sha256

__all__ = [
    "PUBLISHED",
    "DescriptorFeatures",
    "FeatureNetwork",
    "I3DFeatures",
    "InceptionFeatures",
    "InceptionV3",
    "PublishedFeatures",
    "PublishedWeights",
    "RandomVideoFeatures",
    "VideoMAE",
    "VideoMAEFeatures",
    "WeightsError",
    "check_features",
    "fetch_weights",
    "resize_for_cdfvd",
    "to_rgb",
    "weights_sha256",
]
