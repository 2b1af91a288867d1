# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""FEAT that predicts clean clips, for the trainings and samplers of rectified flow, which know velocities."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from monai_feat.conditions import Context

from .denoiser_inputs import timesteps_per_clip
from .feat import FEAT

__all__ = ["CleanPredictionFEAT"]

LEAST_TIME = 0.05  # below, a small error of the clip is a large one of the velocity


class CleanPredictionFEAT(FEAT):
    """Predict x_0, and return the velocity that leads there: (x̂_0 − x_t) / t.

    Source: JiT (arXiv 2511.13720, x-prediction with v-loss), in the direction of MONAI's `RFlowScheduler`: t goes from
    data to noise, x_t = (1 − t) x_0 + t ε, and the velocity is x_0 − ε. Clean clips lie near a surface of few
    dimensions, which noise does not; below t = 0.05 the division is by that. Whatever trains, samples and measures
    velocities takes this network as it is.

    Args:
        num_train_timesteps: timestep of pure noise, that of the scheduler.
        arguments: those of `FEAT`; ``out_channels`` is ``in_channels``.

    Raises:
        ValueError: when it is not, or as for `FEAT`.

    Example:
        >>> import torch
        >>> network = CleanPredictionFEAT(in_channels=4, out_channels=4, hidden_size=32, num_layers=1, num_heads=2)
        >>> network(torch.randn(1, 4, 2, 4, 4), timesteps=500).shape
        torch.Size([1, 4, 2, 4, 4])
    """

    def __init__(self, *, num_train_timesteps: int = 1000, **arguments: Any) -> None:
        super().__init__(**arguments)
        if self.out_channels != self.in_channels:
            raise ValueError(
                f"a clean clip has the {self.in_channels} channels of a noisy one; set out_channels to that, got "
                f"{self.out_channels}"
            )
        self.num_train_timesteps = num_train_timesteps

    def arguments(self) -> dict[str, Any]:
        """Return what a network of the same tensors is constructed with, as values of JSON."""
        return {**super().arguments(), "num_train_timesteps": self.num_train_timesteps}

    def forward(
        self, x: Tensor, timesteps: Tensor | float, context: Context | None = None, num_image_frames: int = 0
    ) -> Tensor:
        """Predict the velocity; arguments and errors are those of `FEAT`."""
        clean = super().forward(x, timesteps, context, num_image_frames)
        time = timesteps_per_clip(timesteps, x).to(x.dtype) / self.num_train_timesteps  # (B,)
        return (clean - x) / time.clamp_min(LEAST_TIME)[:, None, None, None, None]
