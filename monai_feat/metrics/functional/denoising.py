# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How well a network denoises latents, beside what two models that have learned nothing but moments give.

The prior answers the mean; a Wiener filter knows the covariance of channels at each frequency. A diffusion model that
is no better than the second samples a Gaussian random field: blobs of the right size and colour.

B clips, C channels, T frames, H and W rows and columns, K = T temporal modes, R spatial bands, L levels of noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from monai_feat.metrics.functional.spectra import (
    SPATIAL_BANDS,
    cosine_transform,
    inverse_cosine_transform,
    spatial_band,
)

__all__ = ["NOISE_RATIOS", "Denoise", "DenoisingErrors", "WienerFilter", "denoising_errors"]

Denoise = Callable[[Tensor, float], Tensor]
"""Estimates clean latents ``(B, C, T, H, W)`` from these with noise of a given standard deviation added."""

NOISE_RATIOS = (0.1, 0.2, 0.4, 0.7, 1.2, 2.0, 4.0, 8.0)
"""Levels σ/α at which denoising is measured, in units of the latents; they are about standardised."""


class WienerFilter:
    """The best linear denoiser of clips whose cosine modes are independent of one another.

    At mode f, with covariance S_f of the channels over clips, E[x₀ | x₀ + ρε] = μ + S_f (S_f + ρ²)⁻¹ (x − μ) (Wiener
    1949). The mean μ is one frame.

    Args:
        latents: clean ones that the moments are those of, ``(B, C, T, H, W)``, B > C; some hundred are enough.

    Raises:
        ValueError: there are too few clips.
    """

    def __init__(self, latents: Tensor) -> None:
        clips, channels = latents.shape[:2]
        if clips <= channels:
            raise ValueError(f"expected more clips than their {channels} channels to fit a filter to, got {clips}")
        self.mean = latents.double().mean(dim=(0, 2), keepdim=True)  # (1, C, 1, H, W)
        modes = cosine_transform(latents.double() - self.mean)
        covariances = torch.einsum("bcthw,bdthw->thwcd", modes, modes) / clips
        self.variances, self.axes = torch.linalg.eigh(covariances)  # (T, H, W, C), (T, H, W, C, C)

    def __call__(self, noisy: Tensor, ratio: float) -> Tensor:
        """Denoise latents ``(B, C, T, H, W)`` that noise of standard deviation ``ratio`` was added to."""
        variances = self.variances.clamp_min(0)
        modes = cosine_transform(noisy.double() - self.mean).permute(0, 2, 3, 4, 1)[..., None, :]  # (B, T, H, W, 1, C)
        kept = (modes @ self.axes) * (variances / (variances + ratio**2))[..., None, :] @ self.axes.mT
        clean = inverse_cosine_transform(kept[..., 0, :].permute(0, 4, 1, 2, 3))
        return (clean + self.mean).to(noisy.dtype)


@dataclass(frozen=True)
class DenoisingErrors:
    """Squared errors by level, temporal mode and spatial band, added up over a clip; a mean over clips, float64.

    Band 0 is the mean of a frame; the others are those of `SPATIAL_BANDS`.

    Attributes:
        ratios: the levels σ/α.
        network: of the network, ``(L, K, R)``.
        wiener: of the Wiener filter, ``(L, K, R)``.
        prior: of the prior, which answers the same at all levels, ``(K, R)``.
    """

    ratios: tuple[float, ...]
    network: Tensor
    wiener: Tensor
    prior: Tensor

    def relative(self, errors: Tensor) -> Tensor:
        """Return errors ``(L, K, R)`` over the variance of the latents, by level: ``(L,)``."""
        return errors.sum(dim=(1, 2)) / self.prior.sum()

    def below_wiener(self) -> Tensor:
        """Return how far the network is below the Wiener filter by level, ``(L,)``: 0.5 is half its error."""
        return 1 - self.network.sum(dim=(1, 2)) / self.wiener.sum(dim=(1, 2))

    def by_time(self) -> Tensor:
        """Return the network's error over the prior's by level and temporal mode, ``(L, K)``; above 1 it harms."""
        return self.network.sum(dim=2) / self.prior.sum(dim=1)

    def by_space(self) -> Tensor:
        """Return the network's error over the prior's by level and spatial band, ``(L, R)``."""
        return self.network.sum(dim=1) / self.prior.sum(dim=0)


def denoising_errors(
    denoise: Denoise,
    latents: Tensor,
    wiener: WienerFilter,
    ratios: Sequence[float] = NOISE_RATIOS,
    seed: int = 0,
    batch_size: int = 8,
) -> DenoisingErrors:
    """Add noise to latents that were in no training, and measure how well they are denoised.

    Args:
        denoise: the network, as `Denoise` says; see `monai_feat.inferers.CleanEstimate`.
        latents: held-out ones, ``(B, C, T, H, W)``.
        wiener: fitted to the latents of the training.
        ratios: levels σ/α.
        seed: of the noise; the same for the network and the filter.
        batch_size: clips that are denoised at once.
    """
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed)).to(latents)

    def measure(estimate: Denoise, ratio: float) -> Tensor:
        parts = zip(latents.split(batch_size), noise.split(batch_size), strict=True)
        return _sum_by_mode(torch.cat([estimate(part + ratio * added, ratio) - part for part, added in parts]))

    network, linear = (torch.stack([measure(estimate, ratio) for ratio in ratios]) for estimate in (denoise, wiener))
    prior = _sum_by_mode(wiener.mean.to(latents) - latents)
    return DenoisingErrors(tuple(ratios), network, linear, prior)


def _sum_by_mode(errors: Tensor, borders: Sequence[float] = SPATIAL_BANDS) -> Tensor:
    """Add up squared errors ``(B, C, T, H, W)`` by temporal mode and spatial band: a mean over clips ``(K, R)``."""
    squares = cosine_transform(errors.double()).square().mean(dim=0).sum(dim=0)  # (K, H, W)
    bands = spatial_band(errors.shape[-2], errors.shape[-1], borders).to(errors.device) + 1
    return torch.stack([squares[:, bands == band].sum(dim=1) for band in range(len(borders) + 2)], dim=1)
