# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What networks that denoise latent clips ask of their inputs."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["check_channels", "timesteps_per_clip"]


def check_channels(channels: int, expected: int) -> None:
    """Refuse an autoencoder whose latents have other channels than the network takes.

    Raises:
        ValueError: says what to set.
    """
    if channels != expected:
        raise ValueError(
            f"this network takes latents of {expected} channels, the autoencoder makes {channels}; set in_channels to "
            f"{channels}, or name another autoencoder"
        )


def timesteps_per_clip(timesteps: Tensor | float, x: Tensor) -> Tensor:
    """Return a timestep for each clip of a batch, ``(B,)``.

    Args:
        timesteps: a number, ``(1,)`` or ``(B,)``.
        x: the clips, ``(B, ...)``.

    Raises:
        ValueError: there are as many as neither.
    """
    steps = torch.as_tensor(timesteps, device=x.device).reshape(-1)
    if steps.numel() not in (1, x.shape[0]):
        raise ValueError(
            f"timesteps must be one number, or one for each of the {x.shape[0]} clips, got {steps.numel()} of them"
        )
    return steps.expand(x.shape[0])
