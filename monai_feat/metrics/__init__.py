# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of generated clips: torchmetrics classes over pure functions, and networks that turn clips into features."""

from __future__ import annotations

from monai_feat.metrics.clip_mean import ClipMean
from monai_feat.metrics.endoscopy import LabColourDistance, SpecularArea, SpecularLifetime
from monai_feat.metrics.feature_metric import FeatureMetric, FeatureSampleMetric
from monai_feat.metrics.frechet import FrechetInceptionDistance, FrechetInfiniteDistance, FrechetVideoDistance
from monai_feat.metrics.inception_score import InceptionScore
from monai_feat.metrics.kernel import KernelVideoDistance
from monai_feat.metrics.masks import MaskTemporalIoU
from monai_feat.metrics.motion import Flicker, MotionAcceleration, MotionMagnitude, WarpingError
from monai_feat.metrics.neighbours import AuthPct, NearestNeighbourRatio, PrecisionRecallDensityCoverage
from monai_feat.metrics.offline import DescriptorVideoDistance, RandomFeatureVideoDistance
from monai_feat.metrics.properties import PropertyDistance
from monai_feat.metrics.reconstruction import ClipMSSSIM, ClipPSNR, ClipSSIM
from monai_feat.metrics.seams import SeamRatio
from monai_feat.metrics.spectra import SpatialPowerRatio, TemporalPowerRatio
from monai_feat.metrics.ultrasound import (
    AutocovarianceWidth,
    NakagamiM,
    NoisePowerSlope,
    NoisePowerSpectrum,
    SpeckleSNR,
)

__all__ = [
    "AuthPct",
    "AutocovarianceWidth",
    "ClipMSSSIM",
    "ClipMean",
    "ClipPSNR",
    "ClipSSIM",
    "DescriptorVideoDistance",
    "FeatureMetric",
    "FeatureSampleMetric",
    "Flicker",
    "FrechetInceptionDistance",
    "FrechetInfiniteDistance",
    "FrechetVideoDistance",
    "InceptionScore",
    "KernelVideoDistance",
    "LabColourDistance",
    "MaskTemporalIoU",
    "MotionAcceleration",
    "MotionMagnitude",
    "NakagamiM",
    "NearestNeighbourRatio",
    "NoisePowerSlope",
    "NoisePowerSpectrum",
    "PrecisionRecallDensityCoverage",
    "PropertyDistance",
    "RandomFeatureVideoDistance",
    "SeamRatio",
    "SpatialPowerRatio",
    "SpeckleSNR",
    "SpecularArea",
    "SpecularLifetime",
    "TemporalPowerRatio",
    "WarpingError",
]
