# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Samplers, and the inferers that put them into MONAI's engines."""

from __future__ import annotations

from monai_feat.inferers.guidance import GuidedDenoiser
from monai_feat.inferers.noise import ClipNoise
from monai_feat.inferers.sampler import ClipSampler, sample_clips

__all__ = ["ClipNoise", "ClipSampler", "GuidedDenoiser", "sample_clips"]
