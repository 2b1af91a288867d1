# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Samplers, the inferers that put them into MONAI's engines, and one for clips of any length."""

from __future__ import annotations

from monai_feat.inferers.autocast import AutocastInferer
from monai_feat.inferers.autoguidance import AutoguidedDenoiser
from monai_feat.inferers.clean_estimate import CleanEstimate
from monai_feat.inferers.guidance import GuidedDenoiser
from monai_feat.inferers.known_frames import KnownFramesDenoiser
from monai_feat.inferers.noise import ClipNoise
from monai_feat.inferers.sampler import ClipSampler, sample_clips
from monai_feat.inferers.sampling_scheduler import DIFFUSION_SAMPLERS, SAMPLERS, sampling_scheduler
from monai_feat.inferers.time_windows import TimeWindowInferer
from monai_feat.inferers.windows import WindowedDenoiser

__all__ = [
    "DIFFUSION_SAMPLERS",
    "SAMPLERS",
    "AutocastInferer",
    "AutoguidedDenoiser",
    "CleanEstimate",
    "ClipNoise",
    "ClipSampler",
    "GuidedDenoiser",
    "KnownFramesDenoiser",
    "TimeWindowInferer",
    "WindowedDenoiser",
    "sample_clips",
    "sampling_scheduler",
]
