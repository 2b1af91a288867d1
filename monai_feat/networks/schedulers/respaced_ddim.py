# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Implicit (DDIM) sampling on a respaced chain."""

from __future__ import annotations

from typing import Any

import torch
from monai.networks.schedulers.ddpm import DDPMPredictionType

from monai_feat.networks.schedulers.diffusion_tables import split_variance
from monai_feat.networks.schedulers.respaced import RespacedScheduler, step_noise


class RespacedDDIMScheduler(RespacedScheduler):
    """Implicit sampler, deterministic by default, for networks with or without variance logits.

    Source: Song et al., DDIM (https://arxiv.org/abs/2010.02502), on the respaced chain of Improved DDPM.

    Args:
        num_train_timesteps: number of steps N of the training chain.
        schedule: name in MONAI's `NoiseSchedules`.
        eta: share of the ancestral noise to add at each step, 0 (deterministic) to 1 (as much as fixed-small DDPM).
        prediction_type: what the network predicts: "epsilon", "sample" or "v_prediction".
        clip_sample: clip predicted x_0 to the range below; off by default because latents have no range.
        clip_sample_min: lower end of the range.
        clip_sample_max: upper end of the range.
        schedule_args: arguments of the schedule, such as beta_start and beta_end.

    Raises:
        ValueError: if the schedule or the prediction type is unknown, or eta is not in 0 … 1.
    """

    def __init__(
        self,
        num_train_timesteps: int = 1000,
        schedule: str = "linear_beta",
        eta: float = 0.0,
        prediction_type: str = DDPMPredictionType.EPSILON,
        clip_sample: bool = False,
        clip_sample_min: float = -1.0,
        clip_sample_max: float = 1.0,
        **schedule_args: Any,
    ) -> None:
        if not 0.0 <= eta <= 1.0:
            raise ValueError(f"eta is {eta}, expected 0 (deterministic) to 1 (as much noise as DDPM).")
        super().__init__(
            num_train_timesteps,
            schedule,
            prediction_type,
            clip_sample,
            clip_sample_min,
            clip_sample_max,
            **schedule_args,
        )
        self.eta = eta

    def step(
        self,
        model_output: torch.Tensor,
        timestep: int | torch.Tensor,
        sample: torch.Tensor,
        generator: torch.Generator | None = None,
        noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Move the sample to the previous step of the chain, as `RespacedScheduler.step` says.

        Variance logits are ignored; randomness is used only where eta is above 0.
        """
        # 1. Predict x_0, and the noise that goes with it
        index = self.chain_index(timestep)
        original, direction = self._original_and_noise(model_output, index, sample)

        # 2. σ_t = η √β̃_t, Song et al., equation 16
        std = self.eta * self.chain.posterior_variance[index].item() ** 0.5

        # 3. Point to x_{t-1}, Song et al., equation 12
        signal_power = self.chain.alphas_cumprod_prev[index].item()
        mean = signal_power**0.5 * original + (1 - signal_power - std**2) ** 0.5 * direction

        # 4. Add noise; there is none at the last step, where β̃ is zero
        return mean if std == 0 else mean + std * step_noise(sample, generator, noise), original

    def reversed_step(
        self, model_output: torch.Tensor, timestep: int | torch.Tensor, sample: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Move the sample to the next, noisier step of the chain (inversion).

        Source: Dhariwal and Nichol (https://arxiv.org/abs/2105.05233), appendix F.

        Args:
            model_output: output of the network at x_t, (B, C, ...) or (B, 2C, ...).
            timestep: t, one of `timesteps` but not the first.
            sample: x_t (B, C, ...).

        Returns:
            the sample at the next step, and x_0 as predicted from this one, both (B, C, ...).

        Raises:
            ValueError: if the channels do not fit, or the chain has no step after t.
        """
        index = self.chain_index(timestep)
        if index + 1 == self.num_inference_steps:
            raise ValueError(
                f"Timestep {int(timestep)} is the noisiest of the chain, so nothing comes after it: stop the inversion "
                "one step earlier, and iterate over scheduler.timesteps[1:] from its end."
            )
        original, direction = self._original_and_noise(model_output, index, sample)
        signal_power = self.chain.alphas_cumprod[index + 1].item()
        return signal_power**0.5 * original + (1 - signal_power) ** 0.5 * direction, original

    def _original_and_noise(
        self, model_output: torch.Tensor, index: int, sample: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        prediction, _ = split_variance(model_output.to(sample.dtype), sample.shape[1])
        original = self.predict_original(prediction, index, sample)
        return original, self.predict_noise(original, index, sample)
