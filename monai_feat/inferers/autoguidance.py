# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Guidance by an earlier state of the network, as a denoiser around two denoisers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from monai_feat.conditions import Context

__all__ = ["AutoguidedDenoiser"]


class AutoguidedDenoiser(nn.Module):
    """Follow what a network knows and a weaker one does not, further than the network does by itself.

    Source: Karras et al., "Guiding a diffusion model with a bad version of itself" (https://arxiv.org/abs/2406.02507),
    equation 2: e = e(weaker) + s·(e(network) − e(weaker)). The weaker network makes the same mistakes, only larger, so
    that the difference points away from them; it wants no labels. Logits of a learned variance are the network's.
    On an interval of noise levels alone it costs less and does about as well (Kynkäänniemi et al., "Applying guidance
    in a limited interval", https://arxiv.org/abs/2404.07724).

    Args:
        network: denoiser, called as ``network(x, timesteps=..., context=...)``.
        weaker: one that predicts the same, trained for less time on the same clips; it is asked only for the
            conditions that it knows. None for the network alone.
        scale: s; 1 is the network alone; 1.5 to 2.5 is usual. Larger scales give sharper and less varied clips.
        interval: first and last of the timesteps that are guided; at others the weaker network is not called.

    Raises:
        ValueError: if the scale is below 1, the interval is empty, or the networks do not predict alike.

    Example:
        >>> constant = lambda value: lambda x, timesteps, context: torch.full_like(x, value)
        >>> guided = AutoguidedDenoiser(constant(3.0), constant(2.0), scale=2.0)
        >>> guided(torch.zeros(1, 1, 1, 1, 1), torch.zeros(1)).item()  # 2 + 2·(3 − 2)
        4.0
    """

    def __init__(
        self,
        network: nn.Module,
        weaker: nn.Module | None = None,
        scale: float = 2.0,
        interval: Sequence[float] = (0.0, math.inf),
    ) -> None:
        super().__init__()
        if not scale >= 1:
            raise ValueError(f"the scale of autoguidance must be 1 or more, got {scale}")
        self.network, self.weaker, self.scale = network, weaker, scale
        self.first, self.last = interval
        if not self.first <= self.last:
            raise ValueError(f"expected an interval of timesteps, the smaller first, got {list(interval)}")
        if weaker is not None and (here := _predicts(network)) != (there := _predicts(weaker)):
            raise ValueError(
                f"expected a weaker network that predicts what the network does, {here}, got one that predicts "
                f"{there}: take weights of the same training, or none"
            )

    def forward(self, x: Tensor, timesteps: Tensor, context: Context | None = None) -> Tensor:
        """Predict with guidance.

        Args:
            x: noisy clips (B, C, T, H, W).
            timesteps: (B,), or (1,) for all.
            context: what is asked for, see `GuidedDenoiser`.

        Returns:
            the prediction (B, C, T, H, W), or (B, 2C, T, H, W) with variance logits.
        """
        strong: Tensor = self.network(x, timesteps=timesteps, context=context)
        guided = (timesteps >= self.first) & (timesteps <= self.last)
        if self.weaker is None or self.scale == 1 or not guided.any():
            return strong
        weak = self.weaker(x, timesteps=timesteps, context=self._known(context))
        channels = x.shape[1]
        scales = torch.where(guided, self.scale, 1.0).to(strong).reshape(-1, *[1] * (x.ndim - 1))
        prediction = torch.lerp(weak[:, :channels], strong[:, :channels], scales)
        return torch.cat((prediction, strong[:, channels:]), dim=1)

    def _known(self, context: Context | None) -> Context | None:
        """Leave out what the weaker network cannot be asked for."""
        if not isinstance(context, Mapping):
            return context
        names = {condition.name for condition in getattr(self.weaker, "conditions", ())}
        return {name: values for name, values in context.items() if name in names} or None


def _predicts(network: nn.Module) -> tuple[str | None, int | None]:
    """Return what a network that knows itself predicts, and of how many latent channels."""
    diffusion = getattr(network, "_diffusion", None)
    return diffusion and diffusion.prediction_type, getattr(network, "in_channels", None)
