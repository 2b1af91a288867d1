# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How badly weights denoise and reconstruct single clips: what they have learnt by heart, they do better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from monai_feat.inferers import CleanEstimate, sampling_scheduler
from monai_feat.metrics.functional import Denoise
from monai_feat.networks.nets import FEAT
from monai_feat.transforms import to_unit_range

__all__ = ["RATIOS", "ClipErrors", "as_denoiser", "denoising_error", "difficulty", "measure_errors"]

RATIOS = (0.2, 0.4, 0.7, 1.2, 2.0, 4.0)
"""Levels of noise σ/α. Far below, all networks keep what they are given; far above, all answer the mean."""

NUM_DRAWS = 2  # of noise, for each level
_SMALLEST = 1e-12  # of an error or a power, before its logarithm


@dataclass(frozen=True)
class ClipErrors:
    """Errors of clips, and what makes a clip hard whether it was trained on or not.

    Attributes:
        errors: logarithms of mean squared errors, ``(S, N)``.
        names: of the S kinds of error, the denoising ones first.
        difficulty: properties of the clips, ``(F, N)``.
    """

    errors: Tensor
    names: tuple[str, ...]
    difficulty: Tensor


class _Autoencoder(Protocol):
    def encode(self, x: Tensor) -> Tensor: ...

    def decode(self, z: Tensor) -> Tensor: ...

    def parameters(self) -> Any: ...


def as_denoiser(network: FEAT) -> Denoise:
    """Return a network as an estimate of clean latents, by what its weights say about their training.

    Raises:
        CheckpointError: they do not say it.
    """
    told = network.diffusion
    scheduler: Any = sampling_scheduler(
        told.sampler, told.prediction_type, told.num_train_timesteps, told.noise_schedule
    )
    return CleanEstimate(network.eval(), scheduler)


@torch.no_grad()
def measure_errors(
    denoise: Denoise,
    autoencoder: nn.Module,
    clips: Sequence[Tensor],
    seed: int = 0,
    label: str = "errors",
    progress: bool = False,
) -> ClipErrors:
    """Denoise the latents of clips at several levels, and reconstruct the clips.

    All clips meet the same draws of noise, so that these do not add to the differences between clips.

    Args:
        denoise: the network, as `as_denoiser` gives it.
        autoencoder: of its latents.
        clips: uint8 ``(C, T, H, W)``, of one shape.
        seed: of the noise.
        label: of the bar.
        progress: show it.

    Raises:
        ValueError: the autoencoder does not take clips of this shape.
    """
    names = (*(f"denoising at {ratio:g}" for ratio in RATIOS), "reconstruction")
    found = [_measure(denoise, autoencoder, clip, seed) for clip in tqdm(clips, label, disable=not progress)]
    errors, properties = (torch.stack(each, dim=1) for each in zip(*found, strict=True))
    return ClipErrors(errors, names, properties)


def _measure(denoise: Denoise, autoencoder: Any, clip: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    device = next(autoencoder.parameters()).device
    pixels = to_unit_range(clip)[None].to(device)
    try:
        latents = autoencoder.encode(pixels)
        lost = (autoencoder.decode(latents) - pixels).square().mean()
    except RuntimeError as error:
        raise ValueError(
            f"the weights do not take clips of {tuple(clip.shape)}: {str(error).splitlines()[0]}"
        ) from error
    errors = torch.stack([*denoising_error(denoise, latents[0], seed), lost.double().cpu()])
    return errors.clamp_min(_SMALLEST).log(), difficulty(latents[0])


def denoising_error(denoise: Denoise, latents: Tensor, seed: int = 0) -> Tensor:
    """Return the mean squared error of the estimate of a clip's latents ``(C, T, H, W)`` by level, ``(L,)``."""
    noise = torch.randn((NUM_DRAWS, *latents.shape), generator=torch.Generator().manual_seed(seed)).to(latents)
    errors = [(denoise(latents + ratio * noise, ratio).to(latents) - latents).square().mean() for ratio in RATIOS]
    return torch.stack(errors).double().cpu()


def difficulty(latents: Tensor) -> Tensor:
    """Return the logarithms of the power of latents ``(C, T, H, W)``, and of their differences in time and space."""
    detail = torch.diff(latents, dim=-1).square().mean() + torch.diff(latents, dim=-2).square().mean()
    change = torch.diff(latents, dim=-3).square().mean() if latents.shape[-3] > 1 else latents.new_zeros(())
    powers = torch.stack([latents.square().mean(), change, detail])
    return powers.double().cpu().clamp_min(_SMALLEST).log()
