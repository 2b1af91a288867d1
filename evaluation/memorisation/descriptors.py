# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames as small vectors in which a copy stays itself and two clips of the same kind of scene differ.

A frame becomes a small grey picture without its brightness and contrast, and then loses what training frames have in
common: their mean and, by whitening, the directions in which they all vary. What is left is what makes a frame this
frame. Legend: N clips, T frames, C channels, D numbers of a frame.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.transforms.functional import rgb_to_grey

__all__ = ["COARSE_SIZE", "Whitening", "latent_maps", "pixel_maps", "thumbnails"]

THUMBNAIL_SIZE = 64
PIXEL_SIZE = 16  # rows and columns of a map: compression and noise of single pixels average out
COARSE_SIZE = 8  # of a map that a blurred copy, too, still fills
LATENT_SIZE = 8  # of each latent channel
FLATTEST = 1.0  # a frame whose grey levels vary by less shows nothing, and nothing can be a copy of it


def thumbnails(clips: Iterable[Tensor]) -> Tensor:
    """Return clips in grey and shrunk to at most 64 rows and columns: all that is kept of their pixels.

    Args:
        clips: uint8 ``(C, T, H, W)``, grey or RGB, all of one shape.

    Returns:
        uint8 ``(N, T, 1, h, w)``.
    """
    return torch.stack([_thumbnail(clip) for clip in clips])


def _thumbnail(clip: Tensor) -> Tensor:
    grey = (rgb_to_grey(clip) if clip.shape[0] == 3 else clip).transpose(0, 1)  # (T, 1, H, W)
    size = [min(THUMBNAIL_SIZE, side) for side in grey.shape[-2:]]
    return F.interpolate(grey.float(), size, mode="area").round_().to(torch.uint8)


def pixel_maps(pictures: Tensor, size: int = PIXEL_SIZE) -> Tensor:
    """Shrink frames further to zero mean and unit norm; a frame that shows nothing becomes zeros.

    Args:
        pictures: uint8 ``(N, T, 1, h, w)``, as `thumbnails` returns them.
        size: rows and columns of a map.

    Returns:
        float32 ``(N, T, 1, size, size)``.
    """
    return torch.stack([_normalise(_shrunk(picture.float(), size), FLATTEST) for picture in pictures])


def latent_maps(latents: Tensor) -> Tensor:
    """Shrink the frames of latents likewise, to at most 8 x 8 for each channel.

    Args:
        latents: float ``(N, C, T, h, w)``.

    Returns:
        float32 ``(N, T, C, 8, 8)``, or smaller.
    """
    size = min(LATENT_SIZE, *latents.shape[-2:])
    return torch.stack([_normalise(_shrunk(latent.float().transpose(0, 1), size), 1e-6) for latent in latents])


def _shrunk(frames: Tensor, size: int) -> Tensor:
    return F.interpolate(frames, (size, size), mode="area")


def _normalise(frames: Tensor, flattest: float) -> Tensor:
    """Take mean and contrast from each frame ``(T, C, h, w)``."""
    centred = frames - frames.mean((1, 2, 3), keepdim=True)
    spread = centred.square().mean((1, 2, 3), keepdim=True).sqrt()
    unit = centred / (spread * frames[0].numel() ** 0.5).clamp_min(1e-12)
    return torch.where(spread < flattest, torch.zeros(()), unit)


class Whitening:
    """Unit vectors of frames, without the mean of training frames and with equal variance in all their directions.

    A vector x becomes L⁻¹(x − μ) of unit length, with L Lᵀ = Σ + λI, the covariance Σ of training frames, and λ their
    mean variance, so that directions in which they hardly vary are not blown up into noise.

    Args:
        train: maps ``(N, T, C, h, w)``, as `pixel_maps` or `latent_maps` return them.
    """

    def __init__(self, train: Tensor) -> None:
        frames = train.flatten(2).flatten(0, 1)  # (N·T, D)
        frames = frames[frames.any(dim=1)]
        self.mean = frames.sum(0) / max(len(frames), 1)
        covariance = torch.zeros(frames.shape[1], frames.shape[1], dtype=torch.float64)
        for block in frames.split(4096):
            centred = (block - self.mean).double()
            covariance += centred.T @ centred / max(len(frames), 1)
        ridge = covariance.diagonal().mean().clamp_min(1e-12) * torch.eye(len(covariance), dtype=torch.float64)
        lower = torch.linalg.cholesky(covariance + ridge)
        self.weight = torch.linalg.solve_triangular(lower, torch.eye(len(lower), dtype=torch.float64), upper=False)

    def __call__(self, maps: Tensor) -> Tensor:
        """Return unit vectors ``(N, T, D)`` of maps ``(N, T, C, h, w)``; frames that show nothing are zero."""
        frames = maps.flatten(2)
        shows = frames.any(dim=2, keepdim=True)
        return F.normalize((frames - self.mean) @ self.weight.float().T, dim=2) * shows
