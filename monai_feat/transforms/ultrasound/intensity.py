# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes of brightness that a scanner makes: gain, time gain compensation, dynamic range, another draw of speckle.

A B-mode image shows the logarithm of the envelope of the echo: grey g in [0, 1] stands for the envelope
E = 10^((g − 1)·D/20), with D the dynamic range in dB, so gain adds to g and speckle multiplies E.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.transforms.ultrasound.geometry import UltrasoundField, pixel_positions

__all__ = ["DisplayChange", "change_display", "rician_speckle"]

_FWHM = math.sqrt(8 * math.log(2))  # full width at half maximum of a Gaussian in its standard deviations
_FAINTEST = 1e-6  # relative power: no speckle is darker than -60 dB


@dataclass(frozen=True)
class DisplayChange:
    """One change of brightness; as it stands, none.

    Attributes:
        gain_db: Added to the whole field, dB.
        tgc_db: Time gain compensation: gains in dB at equal steps from the probe's face to the deepest point, joined
            by straight lines; none or at least two.
        dynamic_range_db: D, the range in dB that black to white stands for in the clip; 60 is usual.
        range_ratio: The new dynamic range is this times D; above 1 the image becomes flatter.
        speckle: Strength in [0, 1] of the multiplicative speckle of `rician_speckle`.
        grain: Full width at half maximum of the speckle, pixels.
        persistence: Correlation of the speckle from one frame to the next, in [0, 1).

    Raises:
        ValueError: A value is out of range.
    """

    gain_db: float = 0.0
    tgc_db: tuple[float, ...] = ()
    dynamic_range_db: float = 60.0
    range_ratio: float = 1.0
    speckle: float = 0.0
    grain: float = 3.0
    persistence: float = 0.8

    def __post_init__(self) -> None:
        if not (self.dynamic_range_db > 0 and self.range_ratio > 0 and self.grain > 0):
            raise ValueError(f"expected dynamic_range_db, range_ratio and grain above 0, got {self}")
        if not (0 <= self.speckle <= 1 and 0 <= self.persistence < 1):
            raise ValueError(f"expected speckle in [0, 1] and persistence in [0, 1), got {self}")
        if len(self.tgc_db) == 1:
            raise ValueError(f"expected no or at least two gains in tgc_db, got {self.tgc_db}")


def change_display(
    clip: Tensor, field: UltrasoundField, change: DisplayChange, generator: torch.Generator | None = None
) -> Tensor:
    """Show the echoes of a clip with other settings; what is outside the field stays.

    With G gain, K(d) compensation at relative depth d, R the speckle and q the ratio of the ranges:
    g' = 1 + ((g − 1)·D + G + K(d) + 20·log₁₀R) / (q·D), clipped to [0, 1]. All channels change alike.

    Args:
        clip: ``(C, T, H, W)``; uint8 in [0, 255] or float in [-1, 1].
        field: The field of view; one without geometry counts depth over the rows of the frame.
        change: The settings.
        generator: Source of the speckle, on the CPU; None takes PyTorch's own.

    Returns:
        Clip of the same shape and type.

    Raises:
        ValueError: The clip is not of this shape, or the field has another size.
    """
    if clip.ndim != 4 or clip.shape[-2:] != field.mask.shape:
        raise ValueError(
            f"expected (C, T, H, W) of the field's size {tuple(field.mask.shape)}, got {tuple(clip.shape)}"
        )
    if change == DisplayChange(dynamic_range_db=change.dynamic_range_db):
        return clip.clone()
    is_float = clip.is_floating_point()
    grey = (clip.float() + 1) / 2 if is_float else clip.float() / 255  # (C, T, H, W)
    added = change.gain_db + _compensation(field, change.tgc_db)  # (H, W), dB
    if change.speckle > 0:
        shape = (clip.shape[1], *clip.shape[-2:])
        factor = rician_speckle(shape, change.speckle, change.grain, change.persistence, generator)
        added = added + 20 * torch.log10(factor)  # (T, H, W), dB
    level = (grey - 1) * change.dynamic_range_db + added.to(clip.device)
    changed = (1 + level / (change.range_ratio * change.dynamic_range_db)).clamp_(0, 1)
    pixels = changed.mul_(2).sub_(1).to(clip.dtype) if is_float else changed.mul_(255).round_().to(clip.dtype)
    return torch.where(field.mask.to(clip.device), pixels, clip)


def _compensation(field: UltrasoundField, gains: tuple[float, ...]) -> Tensor:
    """Gain at each pixel, dB, ``(H, W)``."""
    rows, columns = pixel_positions(*field.mask.shape)
    if not gains:
        return torch.zeros_like(rows)
    depth = field.geometry.relative_depth(rows, columns) if field.geometry else rows / max(len(rows) - 1, 1)
    place = depth.clamp(0, 1) * (len(gains) - 1)
    below = place.floor().clamp(max=len(gains) - 2).long()
    points = torch.tensor(gains)
    return torch.lerp(points[below], points[below + 1], place - below)


def rician_speckle(
    shape: tuple[int, int, int],
    strength: float,
    grain: float,
    persistence: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Multiplicative speckle R = |√(1−s) + √s·z|, z a circular complex Gaussian field of unit power.

    R is Rician with mean square 1: it is 1 for s = 0, and for s = 1 Rayleigh, the law of the envelope of many
    scatterers, with mean/std = √(π/(4−π)) = 1.913 (Burckhardt, IEEE Trans. Sonics Ultrason. 25, 1978). In space z
    is white noise seen through a Gaussian; in time z_t = ρ·z_{t−1} + √(1−ρ²)·n_t, which keeps the law in each frame.

    Args:
        shape: ``(T, H, W)``.
        strength: s in [0, 1].
        grain: Full width at half maximum of the Gaussian, pixels.
        persistence: ρ in [0, 1).
        generator: Source of the noise, on the CPU.

    Returns:
        Factor of the envelope, float32 ``(T, H, W)``, at least 0.001.
    """
    frames, height, width = shape
    noise = _smoothed(torch.randn(2 * frames, 1, height, width, generator=generator) / math.sqrt(2), grain)
    fields = noise.reshape(frames, 2, height, width)
    for t in range(1, frames):
        fields[t] = persistence * fields[t - 1] + math.sqrt(1 - persistence**2) * fields[t]
    real, imaginary = math.sqrt(1 - strength) + math.sqrt(strength) * fields[:, 0], math.sqrt(strength) * fields[:, 1]
    return (real.square() + imaginary.square()).clamp_(min=_FAINTEST).sqrt()


def _smoothed(noise: Tensor, grain: float) -> Tensor:
    """White noise ``(N, 1, H, W)`` through a Gaussian, power kept; opposite borders are neighbours."""
    sigma = grain / _FWHM
    for dim in (2, 3):
        reach = min(math.ceil(3 * sigma), noise.shape[dim] - 1)
        kernel = torch.exp(-torch.arange(-reach, reach + 1).float().square() / (2 * sigma**2))
        kernel = kernel / kernel.square().sum().sqrt()
        pads = (0, 0, reach, reach) if dim == 2 else (reach, reach, 0, 0)
        shape = (1, 1, -1, 1) if dim == 2 else (1, 1, 1, -1)
        noise = F.conv2d(F.pad(noise, pads, mode="circular"), kernel.reshape(shape))
    return noise
