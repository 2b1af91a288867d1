# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How much of a clip there is at each rate of change in time, and at each fineness in space.

Clips are any tensors ``(B, C, T, H, W)``, pixels or latents. Power is that of orthonormal cosine modes (DCT-II): unlike
those of a Fourier transform, they take no clip to begin where it ends, so that slow change does not leak into fast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "SPATIAL_BANDS",
    "TEMPORAL_BANDS",
    "band_power",
    "cosine_modes",
    "cosine_transform",
    "inverse_cosine_transform",
    "spatial_band",
    "spatial_power",
    "temporal_band",
    "temporal_power",
]

SPATIAL_BANDS = (0.125, 0.25, 0.375)
"""Borders between bands of spatial frequency, in cycles a pixel; the first band leaves out the mean of a frame."""

TEMPORAL_BANDS = (0.1, 0.25)
"""Borders between bands of change in time, in cycles a frame; the first band leaves out the mean over time."""


def cosine_modes(length: int, like: Tensor | None = None) -> Tensor:
    """Return the orthonormal DCT-II of a length as a matrix, one mode a row: float64, or as another tensor is.

    Example:
        >>> modes = cosine_modes(4)
        >>> torch.allclose(modes @ modes.T, torch.eye(4, dtype=torch.float64))
        True
    """
    place = torch.arange(length, dtype=torch.float64)
    modes = torch.cos(math.pi / length * place[:, None] * (place + 0.5)) * math.sqrt(2 / length)
    modes[0] /= math.sqrt(2)
    return modes if like is None else modes.to(like)


def cosine_transform(clips: Tensor, axes: Sequence[int] = (-3, -2, -1)) -> Tensor:
    """Transform clips to cosine modes along some axes; time, rows and columns where none are named."""
    for axis in axes:
        clips = (clips.movedim(axis, -1) @ cosine_modes(clips.shape[axis], clips).T).movedim(-1, axis)
    return clips


def inverse_cosine_transform(modes: Tensor, axes: Sequence[int] = (-3, -2, -1)) -> Tensor:
    """Undo `cosine_transform`."""
    for axis in axes:
        modes = (modes.movedim(axis, -1) @ cosine_modes(modes.shape[axis], modes)).movedim(-1, axis)
    return modes


def spatial_band(height: int, width: int, borders: Sequence[float] = SPATIAL_BANDS) -> Tensor:
    """Return the band of each spatial mode, int64 ``(H, W)``: 0 and up by frequency, and -1 for the mean of a frame.

    Args:
        height: rows H.
        width: columns W.
        borders: between bands, in cycles a pixel, ascending.
    """
    rows, columns = (torch.arange(size, dtype=torch.float64) / (2 * size) for size in (height, width))
    bands = torch.bucketize(torch.hypot(rows[:, None], columns), torch.tensor(borders, dtype=torch.float64), right=True)
    bands[0, 0] = -1
    return bands


def temporal_band(length: int, borders: Sequence[float] = TEMPORAL_BANDS) -> Tensor:
    """Return the band of each temporal mode, int64 ``(T,)``: 0 and up by frequency, and -1 for the mean over time.

    Example:
        >>> temporal_band(8).tolist()  # mode k swings k / 2 times over 8 frames
        [-1, 0, 1, 1, 2, 2, 2, 2]
    """
    frequency = torch.arange(length, dtype=torch.float64) / (2 * length)
    bands = torch.bucketize(frequency, torch.tensor(borders, dtype=torch.float64), right=True)
    bands[0] = -1
    return bands


def temporal_power(clips: Tensor) -> Tensor:
    """Return the power of each temporal mode, a mean over channels and pixels: float64 ``(B, T)``.

    Mode k of T swings k / 2 times over a clip; mode 0 is its mean frame. Their sum is T times the mean square.

    Args:
        clips: ``(B, C, T, H, W)``.

    Example:
        >>> still = torch.full((1, 1, 4, 2, 2), 3.0)
        >>> temporal_power(still).round(decimals=6)
        tensor([[36., 0., 0., 0.]], dtype=torch.float64)
    """
    return cosine_transform(clips.double(), axes=(2,)).square().mean(dim=(1, 3, 4))


def spatial_power(clips: Tensor, borders: Sequence[float] = SPATIAL_BANDS) -> Tensor:
    """Return the mean power of a mode in each band of spatial frequency, float64 ``(B, len(borders) + 1)``.

    Args:
        clips: ``(B, C, T, H, W)``.
        borders: between bands, in cycles a pixel, ascending.

    Raises:
        ValueError: frames are too small to have a mode in each band.
    """
    bands = spatial_band(clips.shape[-2], clips.shape[-1], borders)
    counts = torch.bincount(bands[bands >= 0], minlength=len(borders) + 1)
    if not counts.all():
        raise ValueError(
            f"frames of {clips.shape[-2]} x {clips.shape[-1]} have modes per band {counts.tolist()}: give fewer borders"
        )
    power = cosine_transform(clips.double(), axes=(-2, -1)).square().mean(dim=(1, 2))  # (B, H, W)
    return torch.stack([power[:, bands == band].mean(dim=1) for band in range(len(counts))], dim=1)


def band_power(
    clips: Tensor, temporal_borders: Sequence[float] = TEMPORAL_BANDS, spatial_borders: Sequence[float] = SPATIAL_BANDS
) -> Tensor:
    """Return how much of the mean square of a clip lies in each band of time and space, float64 ``(B, X, Y)``.

    Of the X rows the first is the mean over time, then come the temporal bands from slow to fast; of the Y columns the
    first is the mean of a frame, then come the spatial bands from coarse to fine. They add up to the mean square.

    Args:
        clips: ``(B, C, T, H, W)``.
        temporal_borders: in cycles a frame, ascending.
        spatial_borders: in cycles a pixel, ascending.

    Example:
        >>> still = torch.full((1, 1, 4, 8, 8), 3.0)
        >>> round(float(band_power(still)[0, 0, 0]), 6)
        9.0
    """
    in_time = F.one_hot(temporal_band(clips.shape[2], temporal_borders) + 1, len(temporal_borders) + 2)  # (T, X)
    bands = spatial_band(clips.shape[-2], clips.shape[-1], spatial_borders)
    in_space = F.one_hot(bands + 1, len(spatial_borders) + 2)  # (H, W, Y)
    power = cosine_transform(clips.double()).square().mean(dim=1)  # (B, T, H, W)
    power = torch.einsum("bthw,tx,hwy->bxy", power, in_time.to(power), in_space.to(power))
    return power / clips[0, 0].numel()
