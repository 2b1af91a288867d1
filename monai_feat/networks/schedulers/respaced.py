# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What samplers on a respaced chain have in common: tables, spacing, and the reading of a network's output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.networks.schedulers.ddpm import DDPMPredictionType
from monai.networks.schedulers.scheduler import NoiseSchedules, Scheduler

from monai_feat.networks.schedulers.diffusion_tables import (
    PREDICTION_TYPES,
    gaussian_chain,
    lookup,
    original_from_prediction,
    prediction_target,
    respaced_timesteps,
)


def linear_betas(num_train_timesteps: int, beta_start: float = 1e-4, beta_end: float = 2e-2) -> torch.Tensor:
    """Compute the linear schedule of Ho et al. in float64, where MONAI's "linear_beta" rounds to float32.

    Args:
        num_train_timesteps: number of steps N of the training chain.
        beta_start: β of the least noisy step.
        beta_end: β of the noisiest step.

    Returns:
        β (N,), float64.
    """
    return torch.linspace(beta_start, beta_end, num_train_timesteps, dtype=torch.float64)


class RespacedScheduler(Scheduler):
    """Base of the schedulers that sample with fewer steps than they were trained with, and with the right variances.

    The chain is respaced as in Improved DDPM (https://arxiv.org/abs/2102.09672, section 4): its betas are recomputed
    from the cumulative products at the steps that remain. The tables of the training chain (`betas`, `alphas`,
    `alphas_cumprod`) are float64 buffers that keep their dtype whatever the module is cast to. They follow from the
    arguments and so are not saved.

    Args:
        num_train_timesteps: number of steps N of the training chain.
        schedule: name in MONAI's `NoiseSchedules`.
        prediction_type: what the network predicts: "epsilon", "sample" or "v_prediction".
        clip_sample: clip predicted x_0 to the range below; off by default because latents have no range.
        clip_sample_min: lower end of the range.
        clip_sample_max: upper end of the range.
        schedule_args: arguments of the schedule, such as beta_start and beta_end.

    Raises:
        ValueError: if the schedule or the prediction type is unknown.
    """

    betas: torch.Tensor
    alphas: torch.Tensor
    alphas_cumprod: torch.Tensor

    def __init__(
        self,
        num_train_timesteps: int = 1000,
        schedule: str = "linear_beta",
        prediction_type: str = DDPMPredictionType.EPSILON,
        clip_sample: bool = False,
        clip_sample_min: float = -1.0,
        clip_sample_max: float = 1.0,
        **schedule_args: Any,
    ) -> None:
        if prediction_type not in PREDICTION_TYPES:
            raise ValueError(f"prediction_type is {prediction_type!r}, expected one of {', '.join(PREDICTION_TYPES)}.")
        if schedule not in NoiseSchedules:
            raise ValueError(f"The noise schedule is {schedule!r}, expected one of {', '.join(NoiseSchedules.names)}.")
        super().__init__(num_train_timesteps, schedule, **schedule_args)
        exact = schedule == "linear_beta"
        self._register_tables(linear_betas(num_train_timesteps, **schedule_args) if exact else self.betas.double())
        self.prediction_type = prediction_type
        self.clip_sample = clip_sample
        self.clip_sample_values = (clip_sample_min, clip_sample_max)
        self.set_timesteps(num_train_timesteps)

    def _register_tables(self, betas: torch.Tensor) -> None:
        tables = {"betas": betas, "alphas": 1 - betas, "alphas_cumprod": (1 - betas).cumprod(0)}
        for name, table in tables.items():
            delattr(self, name)
            self.register_buffer(name, table, persistent=False)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> RespacedScheduler:
        """Let the tables change their device, never their dtype."""

        def move(table: torch.Tensor) -> torch.Tensor:
            moved = fn(table)
            return moved if moved.dtype == table.dtype else table.to(moved.device)

        super()._apply(move, recurse)  # type: ignore[no-untyped-call]
        return self

    def set_timesteps(self, num_inference_steps: int, device: str | torch.device | None = None) -> None:
        """Choose the steps of the chain to sample with, and recompute its coefficients.

        Args:
            num_inference_steps: number of steps n, 1 to N.
            device: where to put `timesteps`.

        Raises:
            ValueError: if n is not in 1 … N.
        """
        ascending = self.spaced_timesteps(num_inference_steps)
        self.num_inference_steps = num_inference_steps
        self.timesteps = torch.tensor(ascending[::-1], device=device)
        self.chain = gaussian_chain(self.alphas_cumprod.cpu()[ascending])
        self._chain_indices = {timestep: index for index, timestep in enumerate(ascending)}

    def spaced_timesteps(self, num_inference_steps: int) -> list[int]:
        """Choose n training timesteps to sample with, ascending; evenly over the chain unless a subclass knows better.

        Args:
            num_inference_steps: number of steps n, 1 to N.

        Raises:
            ValueError: if n is not in 1 … N.
        """
        return respaced_timesteps(self.num_train_timesteps, num_inference_steps)

    def add_noise(self, original_samples: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """Diffuse samples to the given steps of the training chain: x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε.

        Source: Ho et al. (https://arxiv.org/abs/2006.11239), equation 4. Computed in float32 at least.

        Args:
            original_samples: x_0 (B, C, ...).
            noise: ε (B, C, ...).
            timesteps: t (B,), int64, 0 to N - 1.

        Returns:
            x_t (B, C, ...) in the dtype of `original_samples`.
        """
        signal, sigma = self.signal_and_sigma(timesteps, original_samples)
        return (signal * original_samples + sigma * noise).to(original_samples.dtype)

    def get_velocity(self, sample: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """Give the target of a velocity-predicting network: v = √ᾱ_t ε - √(1 - ᾱ_t) x_0.

        Args:
            sample: x_0 (B, C, ...).
            noise: ε (B, C, ...).
            timesteps: t (B,), int64, 0 to N - 1.

        Returns:
            v (B, C, ...) in the dtype of `sample`.
        """
        signal, sigma = self.signal_and_sigma(timesteps, sample)
        return prediction_target(DDPMPredictionType.V_PREDICTION, sample, noise, signal, sigma).to(sample.dtype)

    def signal_and_sigma(self, timesteps: torch.Tensor, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Look up √ᾱ_t and √(1 - ᾱ_t) of the training chain.

        Args:
            timesteps: t (B,), int64, 0 to N - 1.
            like: samples (B, C, ...).

        Returns:
            two tensors (B, 1, ...) on the device of `like`, in float32 at least.
        """
        signal = lookup(self.alphas_cumprod.sqrt(), timesteps, like)  # (B, 1, ...)
        sigma = lookup((1 - self.alphas_cumprod).sqrt(), timesteps, like)  # (B, 1, ...)
        return signal, sigma

    def chain_index(self, timestep: int | torch.Tensor) -> int:
        """Find the place of a training timestep in the current chain.

        Args:
            timestep: one of `timesteps`.

        Returns:
            its index, 0 for the least noisy step.

        Raises:
            ValueError: if the timestep is not in the chain.
        """
        if int(timestep) not in self._chain_indices:
            raise ValueError(
                f"Timestep {int(timestep)} is not one of the {self.num_inference_steps} steps of this chain: iterate "
                "over scheduler.timesteps after set_timesteps(n), and do not call set_timesteps while sampling."
            )
        return self._chain_indices[int(timestep)]

    def predict_original(self, prediction: torch.Tensor, index: int, sample: torch.Tensor) -> torch.Tensor:
        """Estimate x_0 from the network's prediction, clipped if `clip_sample` is set.

        Args:
            prediction: output of the network without variance logits (B, C, ...).
            index: place in the chain, from `chain_index`.
            sample: x_t (B, C, ...).

        Returns:
            x_0 (B, C, ...).
        """
        signal, sigma = self._chain_levels(index)
        original = original_from_prediction(self.prediction_type, prediction, sample, signal, sigma)
        return original.clamp(*self.clip_sample_values) if self.clip_sample else original

    def predict_noise(self, original: torch.Tensor, index: int, sample: torch.Tensor) -> torch.Tensor:
        """Give the noise ε that leads from the estimated x_0 to the sample.

        Args:
            original: x_0 (B, C, ...), clipped or not.
            index: place in the chain, from `chain_index`.
            sample: x_t (B, C, ...).

        Returns:
            ε (B, C, ...).
        """
        signal, sigma = self._chain_levels(index)
        return (sample - signal * original) / sigma

    def step(
        self,
        model_output: torch.Tensor,
        timestep: int | torch.Tensor,
        sample: torch.Tensor,
        generator: torch.Generator | None = None,
        noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take the sample to the previous step of the chain; subclasses define it.

        Args:
            model_output: output of the network at x_t, (B, C, ...), or with variance logits (B, 2C, ...).
            timestep: t, one of `timesteps`.
            sample: x_t (B, C, ...).
            generator: source of randomness; torch's global one if None.
            noise: noise (B, C, ...) drawn by the caller, instead of a generator.

        Returns:
            the sample at the previous step, and x_0 as predicted from this one, both (B, C, ...).

        Raises:
            ValueError: if the channels do not fit, the timestep is not in the chain, or the noise has another shape.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step.")

    def _chain_levels(self, index: int) -> tuple[float, float]:
        signal_power = self.chain.alphas_cumprod[index].item()
        return signal_power**0.5, (1 - signal_power) ** 0.5


def step_noise(
    sample: torch.Tensor, generator: torch.Generator | None = None, noise: torch.Tensor | None = None
) -> torch.Tensor:
    """Give the noise of one step: the tensor handed in, or one drawn from the generator.

    Args:
        sample: x_t (B, C, ...), whose shape, dtype and device the noise takes.
        generator: source of randomness; torch's global one if None.
        noise: noise drawn by the caller, of the shape of `sample`.

    Returns:
        ε (B, C, ...).

    Raises:
        ValueError: if both a generator and noise are given, or the noise has another shape.
    """
    if noise is None:
        device = sample.device if generator is None else generator.device
        return torch.randn(sample.shape, generator=generator, dtype=sample.dtype, device=device).to(sample.device)
    if generator is not None:
        raise ValueError("step was given both a generator and noise: pass one of them.")
    if noise.shape != sample.shape:
        raise ValueError(f"The noise has shape {tuple(noise.shape)}, expected that of sample, {tuple(sample.shape)}.")
    return noise
