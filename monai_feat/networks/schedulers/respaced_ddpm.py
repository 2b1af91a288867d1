# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Ancestral sampling on a respaced chain."""

from __future__ import annotations

from typing import Any

import torch
from monai.networks.schedulers.ddpm import DDPMPredictionType, DDPMVarianceType

from monai_feat.networks.schedulers.diffusion_tables import interpolate_log_variance, split_variance
from monai_feat.networks.schedulers.respaced import RespacedScheduler, step_noise

VARIANCE_TYPES = tuple(str(member) for member in DDPMVarianceType if member != DDPMVarianceType.LEARNED)


class RespacedDDPMScheduler(RespacedScheduler):
    """Ancestral sampler of DDPM whose variances stay right when steps are skipped.

    Sources: Ho et al. (https://arxiv.org/abs/2006.11239); Nichol and Dhariwal, Improved DDPM
    (https://arxiv.org/abs/2102.09672), for respacing and the learned range.

    Args:
        num_train_timesteps: number of steps N of the training chain.
        schedule: name in MONAI's `NoiseSchedules`.
        variance_type: "fixed_small" takes the posterior variance, "fixed_large" beta, and "learned_range"
            interpolates between their logarithms by the second half of the network's output channels, up to the
            variance 1 of the chain's start.
        prediction_type: what the network predicts: "epsilon", "sample" or "v_prediction".
        clip_sample: clip predicted x_0 to the range below; off by default because latents have no range.
        clip_sample_min: lower end of the range.
        clip_sample_max: upper end of the range.
        schedule_args: arguments of the schedule, such as beta_start and beta_end.

    Raises:
        ValueError: if the schedule, the variance type or the prediction type is unknown.

    Example:
        >>> scheduler = RespacedDDPMScheduler(variance_type="learned_range")
        >>> scheduler.set_timesteps(3)
        >>> scheduler.timesteps
        tensor([999, 500,   0])
    """

    def __init__(
        self,
        num_train_timesteps: int = 1000,
        schedule: str = "linear_beta",
        variance_type: str = DDPMVarianceType.FIXED_SMALL,
        prediction_type: str = DDPMPredictionType.EPSILON,
        clip_sample: bool = False,
        clip_sample_min: float = -1.0,
        clip_sample_max: float = 1.0,
        **schedule_args: Any,
    ) -> None:
        if variance_type not in VARIANCE_TYPES:
            raise ValueError(f"variance_type is {variance_type!r}, expected one of {', '.join(VARIANCE_TYPES)}.")
        super().__init__(
            num_train_timesteps,
            schedule,
            prediction_type,
            clip_sample,
            clip_sample_min,
            clip_sample_max,
            **schedule_args,
        )
        self.variance_type = variance_type

    def step(
        self,
        model_output: torch.Tensor,
        timestep: int | torch.Tensor,
        sample: torch.Tensor,
        generator: torch.Generator | None = None,
        noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw the sample at the previous step of the chain, as `RespacedScheduler.step` says.

        A fixed variance ignores variance logits; a learned one needs them, and raises ValueError without.
        """
        # 1. Separate the prediction from the variance logits
        index = self.chain_index(timestep)
        prediction, logits = split_variance(model_output.to(sample.dtype), sample.shape[1])
        log_variance = self._log_variance(logits, index)

        # 2. Predict x_0
        original = self.predict_original(prediction, index, sample)

        # 3. Mean of q(x_{t-1} | x_t, x_0), Ho et al., equation 7
        mean = (
            self.chain.posterior_mean_x0[index].item() * original + self.chain.posterior_mean_xt[index].item() * sample
        )

        # 4. Add noise, except at the last step (Ho et al., algorithm 2)
        if index == 0:
            return mean, original
        std = torch.exp(0.5 * log_variance.clamp(max=0.0))  # an untrained network's logits can overflow the exponential
        return mean + std * step_noise(sample, generator, noise), original

    def _log_variance(self, logits: torch.Tensor | None, index: int) -> torch.Tensor:
        low, high = self.chain.posterior_log_variance[index], self.chain.betas[index].log()
        if self.variance_type == DDPMVarianceType.FIXED_SMALL:
            return low
        if self.variance_type == DDPMVarianceType.FIXED_LARGE:
            return high
        if logits is None:
            raise ValueError(
                'variance_type="learned_range" needs variance logits, but the model output has as many channels as the '
                "sample, expected twice as many: double the network's out_channels, or choose "
                'variance_type="fixed_small" or "fixed_large".'
            )
        return interpolate_log_variance(logits, low.item(), high.item())
