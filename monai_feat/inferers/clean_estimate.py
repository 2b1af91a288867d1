# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A trained network as a denoiser: clean latents from noisy ones, whatever it was trained to predict."""

from __future__ import annotations

import math

import torch
from monai.networks.schedulers.rectified_flow import RFlowScheduler

from monai_feat.conditions import Context
from monai_feat.inferers.sampler import Denoiser
from monai_feat.networks.schedulers import RespacedScheduler
from monai_feat.networks.schedulers.diffusion_tables import original_from_prediction, split_variance

__all__ = ["CleanEstimate"]


class CleanEstimate:
    """Estimate x_0 from x_0 + ρ·ε by one call of a network.

    The input is scaled to what the network was trained on, x_t = α (x_0 + ρ ε). On the straight lines of rectified flow
    α = 1 - t and ρ = t / (1 - t); in a diffusion chain t is the step whose ρ is nearest in the logarithm, and ρ the one
    that was asked for.

    Args:
        network: denoiser, called as ``network(x, timesteps=..., context=...)``; variance logits are left out.
        scheduler: the one of its training: one of `monai_feat.networks.schedulers`, or MONAI's `RFlowScheduler`.
        conditioning: context for every call, or None.

    Raises:
        TypeError: if the scheduler is another one.

    Example:
        >>> velocity = lambda x, timesteps, context: -x  # right where x_0 = 0 and t = 1
        >>> estimate = CleanEstimate(velocity, RFlowScheduler(num_train_timesteps=1000))
        >>> estimate(torch.ones(1, 4, 2, 2, 2), 1.0).flatten()[0]  # half of it at t = 1/2, and 1/2 · -1/2 more
        tensor(0.2500)
    """

    def __init__(
        self, network: Denoiser, scheduler: RFlowScheduler | RespacedScheduler, conditioning: Context | None = None
    ) -> None:
        if not isinstance(scheduler, RFlowScheduler | RespacedScheduler):
            raise TypeError(
                f"The scheduler is a {type(scheduler).__name__}, expected one of monai_feat.networks.schedulers or "
                "MONAI's RFlowScheduler: of others it is not known what their network predicts."
            )
        self.network, self.scheduler, self.conditioning = network, scheduler, conditioning

    @torch.no_grad()
    def __call__(self, noisy: torch.Tensor, ratio: float) -> torch.Tensor:
        """Denoise.

        Args:
            noisy: x_0 + ρ·ε, (B, C, T, H, W).
            ratio: ρ = σ/α, more than 0.

        Returns:
            the estimate of x_0, (B, C, T, H, W).
        """
        flow = isinstance(self.scheduler, RFlowScheduler)
        return self._along_a_line(noisy, ratio) if flow else self._in_a_chain(noisy, ratio)

    def _along_a_line(self, noisy: torch.Tensor, ratio: float) -> torch.Tensor:
        time = ratio / (1 + ratio)
        sample = (1 - time) * noisy
        return sample + time * self._predict(sample, time * self.scheduler.num_train_timesteps)

    def _in_a_chain(self, noisy: torch.Tensor, ratio: float) -> torch.Tensor:
        signals = self.scheduler.alphas_cumprod
        timestep = int(((1 / signals - 1).sqrt().log() - math.log(ratio)).abs().argmin())
        signal = (1 + ratio**2) ** -0.5
        sample = signal * noisy
        prediction = self._predict(sample, timestep)
        return original_from_prediction(self.scheduler.prediction_type, prediction, sample, signal, signal * ratio)

    def _predict(self, sample: torch.Tensor, timestep: float) -> torch.Tensor:
        timesteps = torch.full(sample.shape[:1], float(timestep), device=sample.device)  # (B,)
        output = self.network(sample, timesteps=timesteps, context=self.conditioning)
        prediction, _ = split_variance(output, sample.shape[1])
        return prediction
