# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How well clips are reconstructed: one value for each clip. The formulas are those of MONAI and torchmetrics."""

from __future__ import annotations

from monai.metrics.regression import compute_ms_ssim, compute_ssim_and_cs
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from monai_feat.metrics.functional.clips import check_pair

__all__ = ["MS_SSIM_WEIGHTS", "clip_ms_ssim", "clip_psnr", "clip_ssim"]

MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the five scales, fine to coarse: Wang, Simoncelli and Bovik, "Multi-scale structural similarity" (2003)."""

_LEVELS = 255.0
_WINDOW = 11
_SIGMA = 1.5


def clip_psnr(reconstructed: Tensor, original: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of clips: 10 log₁₀(255² / MSE), with the mean over all pixels of a clip.

    Averaging the ratios of frames instead gives more, and infinity as soon as one frame is exact.

    Args:
        reconstructed: uint8 ``(B, C, T, H, W)``.
        original: likewise.

    Returns:
        dB, float64 ``(B,)``; infinite where both are equal.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shapes differ, or are not those of clips.

    Example:
        >>> import torch
        >>> original = torch.zeros(1, 1, 2, 8, 8, dtype=torch.uint8)
        >>> clip_psnr(original + 10, original)
        tensor([28.1308], dtype=torch.float64)
    """
    check_pair(reconstructed, original)
    ratio: Tensor = peak_signal_noise_ratio(
        reconstructed.double(), original.double(), data_range=_LEVELS, reduction="none", dim=(1, 2, 3, 4)
    )
    return ratio


def clip_ssim(reconstructed: Tensor, original: Tensor) -> Tensor:
    """Structural similarity of frames, averaged over those of a clip.

    Wang et al., "Image quality assessment" (2004): Gaussian window of 11 × 11 pixels with σ = 1.5, K = (0.01, 0.03),
    averaged over channels and the places where the window is inside the frame.

    Args:
        reconstructed: uint8 ``(B, C, T, H, W)``, H and W ≥ 11.
        original: likewise.

    Returns:
        In [-1, 1], float64 ``(B,)``; 1 where both are equal.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shapes differ, are not those of clips, or the frames are smaller than the window.
    """
    check_pair(reconstructed, original)
    if min(original.shape[3:]) < _WINDOW:
        raise ValueError(f"SSIM needs frames of at least {_WINDOW} x {_WINDOW} pixels, got {tuple(original.shape)}")
    of_pixels, _ = compute_ssim_and_cs(
        _frames(reconstructed),
        _frames(original),
        spatial_dims=2,
        kernel_size=(_WINDOW, _WINDOW),
        kernel_sigma=(_SIGMA, _SIGMA),
        data_range=_LEVELS,
    )
    return of_pixels.double().reshape(len(original), -1).mean(1)


def clip_ms_ssim(reconstructed: Tensor, original: Tensor, scales: int = 5) -> Tensor:
    """Multi-scale structural similarity of frames, averaged over those of a clip.

    The published index has five scales and needs frames of 176 pixels, 11 on the coarsest. Smaller frames take fewer:
    the weights of the remaining finer scales are then normalised to sum 1, and values compare only with others of as
    many scales.

    Args:
        reconstructed: uint8 ``(B, C, T, H, W)``; H and W ≥ 176 for 5 scales, 99 for 4, 44 for 3, 22 for 2.
        original: likewise.
        scales: from 2 to 5.

    Returns:
        In [0, 1], float64 ``(B,)``; 1 where both are equal.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shapes differ, are not those of clips, or the frames are too small for so many scales.
    """
    check_pair(reconstructed, original)
    _check_scales(scales, min(original.shape[3:]))
    weights = MS_SSIM_WEIGHTS[:scales]
    of_frames = compute_ms_ssim(
        _frames(reconstructed),
        _frames(original),
        spatial_dims=2,
        data_range=_LEVELS,
        kernel_size=_WINDOW,
        kernel_sigma=_SIGMA,
        weights=tuple(weight / sum(weights) for weight in weights),
    )
    return of_frames.double().reshape(len(original), -1).mean(1)


def _check_scales(scales: int, side: int) -> None:
    if not 2 <= scales <= len(MS_SSIM_WEIGHTS):
        raise ValueError(f"expected 2 to {len(MS_SSIM_WEIGHTS)} scales, got {scales}")
    if side < _smallest_side(scales):
        fitting = [fewer for fewer in range(2, scales) if side >= _smallest_side(fewer)]
        advice = f"set scales={fitting[-1]} on all that you compare" if fitting else "use SSIM"
        raise ValueError(
            f"MS-SSIM of {scales} scales needs frames of at least {_smallest_side(scales)} pixels, got {side}; {advice}"
        )


def _smallest_side(scales: int) -> int:
    """The window must fit the coarsest scale, and MONAI asks for 11 · (scales − 1)²; both are 176 for five scales."""
    return _WINDOW * max(1 << (scales - 1), (scales - 1) ** 2)


def _frames(clips: Tensor) -> Tensor:
    return clips.transpose(1, 2).flatten(0, 1).float()  # (B·T, C, H, W)
