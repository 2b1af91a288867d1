# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Pure functions under the metric classes."""

from __future__ import annotations

from monai_feat.metrics.functional.denoising import (
    NOISE_RATIOS,
    Denoise,
    DenoisingErrors,
    WienerFilter,
    denoising_errors,
)
from monai_feat.metrics.functional.endoscopy import clip_lab, lab_colour_distance, specular_area, specular_lifetime
from monai_feat.metrics.functional.flow import optical_flow, visible_pixels, warp_back
from monai_feat.metrics.functional.frechet import (
    feature_moments,
    frechet_distance,
    frechet_distance_from_features,
    frechet_floor,
    frechet_infinite,
    frechet_is_meaningful,
)
from monai_feat.metrics.functional.inception_score import inception_score
from monai_feat.metrics.functional.kernel import KernelTerms, kernel_distance, kernel_distance_terms
from monai_feat.metrics.functional.masks import mask_temporal_iou
from monai_feat.metrics.functional.motion import (
    ClipMotion,
    clip_flow,
    flicker,
    flow_speed,
    motion_acceleration,
    motion_magnitude,
    warping_error,
)
from monai_feat.metrics.functional.neighbours import (
    authenticity,
    expected_coverage,
    nearest_distances,
    nearest_neighbour_ratio,
    precision_recall_density_coverage,
)
from monai_feat.metrics.functional.parts import Distance, part_distances, standardise_features
from monai_feat.metrics.functional.properties import PROPERTIES, Modality, Property, get_property, property_distance
from monai_feat.metrics.functional.reconstruction import clip_ms_ssim, clip_psnr, clip_ssim
from monai_feat.metrics.functional.seams import Motion, frame_change, seam_ratio
from monai_feat.metrics.functional.spectra import (
    SPATIAL_BANDS,
    TEMPORAL_BANDS,
    band_power,
    spatial_band,
    spatial_power,
    temporal_band,
    temporal_power,
)
from monai_feat.metrics.functional.ultrasound import (
    RAYLEIGH_SNR,
    Direction,
    NoisePower,
    autocovariance_width,
    nakagami_m,
    noise_power_spectrum,
    speckle_snr,
    spectral_slope,
)

__all__ = [
    "NOISE_RATIOS",
    "PROPERTIES",
    "RAYLEIGH_SNR",
    "SPATIAL_BANDS",
    "TEMPORAL_BANDS",
    "ClipMotion",
    "Denoise",
    "DenoisingErrors",
    "Direction",
    "Distance",
    "KernelTerms",
    "Modality",
    "Motion",
    "NoisePower",
    "Property",
    "WienerFilter",
    "authenticity",
    "autocovariance_width",
    "band_power",
    "clip_flow",
    "clip_lab",
    "clip_ms_ssim",
    "clip_psnr",
    "clip_ssim",
    "denoising_errors",
    "expected_coverage",
    "feature_moments",
    "flicker",
    "flow_speed",
    "frame_change",
    "frechet_distance",
    "frechet_distance_from_features",
    "frechet_floor",
    "frechet_infinite",
    "frechet_is_meaningful",
    "get_property",
    "inception_score",
    "kernel_distance",
    "kernel_distance_terms",
    "lab_colour_distance",
    "mask_temporal_iou",
    "motion_acceleration",
    "motion_magnitude",
    "nakagami_m",
    "nearest_distances",
    "nearest_neighbour_ratio",
    "noise_power_spectrum",
    "optical_flow",
    "part_distances",
    "precision_recall_density_coverage",
    "property_distance",
    "seam_ratio",
    "spatial_band",
    "spatial_power",
    "speckle_snr",
    "spectral_slope",
    "specular_area",
    "specular_lifetime",
    "standardise_features",
    "temporal_band",
    "temporal_power",
    "visible_pixels",
    "warp_back",
    "warping_error",
]
