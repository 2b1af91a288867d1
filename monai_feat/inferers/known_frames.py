# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""First frames that are given and stay as they are, as a denoiser around a denoiser."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from monai_feat.conditions import NONE, Context
from monai_feat.inferers.forward_process import forward_process

__all__ = ["KnownFramesDenoiser"]


class KnownFramesDenoiser(nn.Module):
    """Let clips begin with the very frames that they are asked to continue.

    A network that was trained to continue frames follows them, and draws them anew, not quite the same. But where
    frames x_0 are known, so is the right prediction at any x_t = signal · x_0 + sigma · ε: the noise is
    ε = (x_t - signal · x_0) / sigma. It takes the place of the network's there, at every step, so that the frames to
    come are drawn beside the given ones, and any sampler ends with these.

    Source: in the spirit of the replacement method of Ho et al., "Video diffusion models"
    (https://arxiv.org/abs/2204.03458, section 3.1), which replaces x_t rather than the prediction.

    Args:
        network: denoiser, called as ``network(x, timesteps=..., context=...)``; it may be a `WindowedDenoiser`.
        scheduler: that the clips are sampled with, see `forward_process`.
        name: of the first frames in the context.

    Raises:
        TypeError: if the scheduler does not say how it mixes clips and noise.

    Example:
        >>> class Zero(nn.Module):
        ...     def forward(self, x, timesteps, context):
        ...         return torch.zeros_like(x)
        >>> from monai_feat.networks.schedulers import RespacedScheduler
        >>> scheduler = RespacedScheduler(prediction_type="sample")
        >>> denoiser = KnownFramesDenoiser(Zero(), scheduler)
        >>> given = {"first_frames": torch.full((1, 1, 1, 1, 1), 7.0)}
        >>> denoiser(torch.randn(1, 1, 3, 1, 1), torch.tensor([500]), given).flatten()
        tensor([7., 0., 0.])
    """

    def __init__(self, network: nn.Module, scheduler: object, name: str = "first_frames") -> None:
        super().__init__()
        self.network, self.name = network, name
        self._exact = forward_process(scheduler).exact_prediction

    def forward(self, x: Tensor, timesteps: Tensor, context: Context | None = None) -> Tensor:
        """Predict, exactly where frames are known.

        Args:
            x: noisy clips (B, C, T, H, W).
            timesteps: (B,), or (1,) for all.
            context: what is asked for; first frames are latents (B, C, k, H, W), and none where −1 throughout.

        Returns:
            the prediction (B, C, T, H, W), or (B, 2C, T, H, W) with variance logits.
        """
        prediction: Tensor = self.network(x, timesteps=timesteps, context=context)
        if not isinstance(context, Mapping) or self.name not in context:
            return prediction
        frames = context[self.name].to(prediction)
        channels, count = frames.shape[1:3]
        known = (frames != NONE).any(dim=(1, 3, 4), keepdim=True)  # (B, 1, k, 1, 1)
        exact = self._exact(frames, x[:, :, :count], timesteps.expand(len(x))).to(prediction)
        prediction = prediction.clone()
        prediction[:, :channels, :count] = torch.where(known, exact, prediction[:, :channels, :count])
        return prediction
