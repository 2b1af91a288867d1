# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Means over clips of PSNR, SSIM and MS-SSIM between reconstructions and originals."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from monai_feat.metrics.clip_mean import ClipMean
from monai_feat.metrics.functional.reconstruction import clip_ms_ssim, clip_psnr, clip_ssim

__all__ = ["ClipMSSSIM", "ClipPSNR", "ClipSSIM"]


class ClipPSNR(ClipMean):
    """Mean over clips of the peak signal-to-noise ratio in dB; see `functional.clip_psnr`.

    One exact clip makes it infinite.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> original = torch.zeros(2, 1, 2, 8, 8, dtype=torch.uint8)
        >>> psnr = ClipPSNR()
        >>> psnr.update(original + 10, original)
        >>> psnr.compute()
        tensor(28.1308, dtype=torch.float64)
    """

    higher_is_better = True

    def update(self, reconstructed: Tensor, original: Tensor) -> None:
        """Add clips and their originals, uint8 ``(B, C, T, H, W)``."""
        self._add(clip_psnr(reconstructed, original))


class ClipSSIM(ClipMean):
    """Mean over clips of structural similarity; see `functional.clip_ssim`.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> original = torch.randint(0, 255, (2, 1, 2, 16, 16), dtype=torch.uint8)
        >>> ssim = ClipSSIM()
        >>> ssim.update(original, original)
        >>> ssim.compute()
        tensor(1., dtype=torch.float64)
    """

    higher_is_better = True

    def update(self, reconstructed: Tensor, original: Tensor) -> None:
        """Add clips and their originals, uint8 ``(B, C, T, H, W)``."""
        self._add(clip_ssim(reconstructed, original))


class ClipMSSSIM(ClipMean):
    """Mean over clips of multi-scale structural similarity; see `functional.clip_ms_ssim`.

    Args:
        scales: 5 as published, for frames of at least 176 pixels; fewer for smaller ones.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> original = torch.randint(0, 255, (2, 1, 2, 64, 64), dtype=torch.uint8)
        >>> similarity = ClipMSSSIM(scales=3)
        >>> similarity.update(original, original)
        >>> similarity.compute()
        tensor(1., dtype=torch.float64)
    """

    higher_is_better = True

    def __init__(self, scales: int = 5, **kwargs: Any) -> None:
        super().__init__(settings=(scales,), **kwargs)
        self.scales = scales

    def update(self, reconstructed: Tensor, original: Tensor) -> None:
        """Add clips and their originals, uint8 ``(B, C, T, H, W)``."""
        self._add(clip_ms_ssim(reconstructed, original, self.scales))
