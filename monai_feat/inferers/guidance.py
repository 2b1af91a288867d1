# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Classifier-free guidance, as a denoiser around a denoiser."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_feat.conditions import NONE, Context, map_context

__all__ = ["GuidedDenoiser"]


class GuidedDenoiser(nn.Module):
    """Follow what a clip was asked to be more, or less, than the network does by itself.

    Source: Ho and Salimans, "Classifier-free diffusion guidance" (https://arxiv.org/abs/2207.12598), in MONAI's form:
    e = e(none) + s·(e(context) − e(none)) for the guidance scale s. Both terms come from one batch of twice the size,
    in whose first half all of the context is −1. Logits of a learned variance are not extrapolated: they are those of
    the network with its context.

    Args:
        network: denoiser, called as ``network(x, timesteps=..., context=...)``, that takes a context of −1 for none.
        guidance_scale: s; 1 is the network itself, called once; 0 leaves the context out; 1.5 to 4 is usual. Larger
            scales give more faithful and less varied clips.

    Raises:
        ValueError: if the scale is negative.

    Example:
        >>> class Echo(nn.Module):
        ...     def forward(self, x, timesteps, context):
        ...         return context.reshape(-1, 1, 1, 1, 1).expand_as(x)
        >>> guided = GuidedDenoiser(Echo(), guidance_scale=3.0)
        >>> guided(torch.zeros(1, 1, 1, 1, 1), torch.zeros(1), torch.tensor([2.0])).item()  # −1 + 3·(2 − −1)
        8.0
    """

    def __init__(self, network: nn.Module, guidance_scale: float = 1.0) -> None:
        super().__init__()
        if not guidance_scale >= 0:
            raise ValueError(f"guidance_scale must be 0 or more, got {guidance_scale}")
        self.network = network
        self.guidance_scale = guidance_scale

    def forward(self, x: Tensor, timesteps: Tensor, context: Context | None = None) -> Tensor:
        """Predict with guidance.

        Args:
            x: noisy clips (B, C, T, H, W).
            timesteps: (B,), or (1,) for all.
            context: what is asked for: one tensor (B, ...), or several by name; None asks for nothing, and there is
                nothing to guide.

        Returns:
            the prediction (B, C, T, H, W), or (B, 2C, T, H, W) with variance logits.
        """
        if context is None or self.guidance_scale == 1:
            prediction: Tensor = self.network(x, timesteps=timesteps, context=context)
            return prediction
        both = self.network(
            torch.cat((x, x)),
            timesteps=timesteps.expand(len(x)).repeat(2),
            context=map_context(_beside_none, context),
        )
        without, asked = both.chunk(2)
        channels = x.shape[1]
        guided = torch.lerp(without[:, :channels], asked[:, :channels], self.guidance_scale)
        return torch.cat((guided, asked[:, channels:]), dim=1)


def _beside_none(values: Tensor) -> Tensor:
    """Put none in front of the values: (B, ...) becomes (2B, ...)."""
    return torch.cat((torch.full_like(values, NONE), values))
