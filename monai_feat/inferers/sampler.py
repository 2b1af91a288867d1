# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sampling of clips: a plain function over any denoiser, and the inferer around it.

B clips in a batch; C channels, T frames, H and W rows and columns of the latents.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Protocol

import torch
from monai.inferers.inferer import Inferer
from monai.networks.schedulers.rectified_flow import RFlowScheduler
from monai.networks.schedulers.scheduler import Scheduler
from monai.utils.module import optional_import

from monai_feat.conditions import Context, map_context
from monai_feat.inferers.memory import FittingBatches
from monai_feat.inferers.noise import ClipNoise
from monai_feat.networks.schedulers import RespacedScheduler
from monai_feat.networks.schedulers.diffusion_tables import split_variance

tqdm, _ = optional_import("tqdm", name="tqdm")

Denoiser = Callable[..., torch.Tensor]
"""A network called as ``network(x, timesteps=..., context=...)``."""


class Stepper(Protocol):
    """What the sampler asks of a scheduler: the steps of its chain, and one step."""

    timesteps: torch.Tensor

    def step(
        self,
        model_output: torch.Tensor,
        timestep: torch.Tensor,
        sample: torch.Tensor,
        generator: torch.Generator | None = None,
        noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the sample at the previous step, and the predicted clean one."""


class RectifiedFlowStepper:
    """Makes MONAI's `RFlowScheduler` step as the sampler expects: straight lines, no noise.

    Source: Liu et al., rectified flow (https://arxiv.org/abs/2209.03003), Euler steps.

    Args:
        scheduler: scheduler whose timesteps are set.
    """

    def __init__(self, scheduler: RFlowScheduler) -> None:
        # Rounding can make two timesteps equal; a step between them would have no length.
        descending = sorted(set(scheduler.timesteps.tolist()), reverse=True)
        self.timesteps = torch.tensor(descending, dtype=torch.float32)
        self._next = dict(pairwise([*self.timesteps.tolist(), 0.0]))
        self._num_train_timesteps = scheduler.num_train_timesteps

    def step(
        self,
        model_output: torch.Tensor,
        timestep: torch.Tensor,
        sample: torch.Tensor,
        generator: torch.Generator | None = None,
        noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Move the sample along the predicted velocity to the next timestep, at the end to zero.

        `RFlowScheduler.step` does the same for whole timesteps, but cuts off the fraction of the next one.

        Args:
            model_output: velocity x_0 - ε (B, C, T, H, W), or (B, 2C, T, H, W) of which the second half, variance
                logits, is ignored.
            timestep: one of `timesteps`, scalar.
            sample: sample at that timestep (B, C, T, H, W).
            generator: not used: the flow is deterministic.
            noise: not used, either.

        Returns:
            the sample at the next timestep, and the predicted clean one, both (B, C, T, H, W).
        """
        here, there = float(timestep), self._next[float(timestep)]
        velocity, _ = split_variance(model_output.to(sample.dtype), sample.shape[1])
        stride, remaining = (here - there) / self._num_train_timesteps, here / self._num_train_timesteps
        return sample + velocity * stride, sample + velocity * remaining


def prepare_stepper(scheduler: Scheduler, num_inference_steps: int, latent_shape: Sequence[int]) -> Stepper:
    """Set a scheduler's timesteps and adapt it to the sampler.

    Args:
        scheduler: one of ours, or MONAI's `RFlowScheduler`.
        num_inference_steps: number of steps.
        latent_shape: shape of one clip's latents, (C, T, H, W).

    Returns:
        what the sampler steps with.

    Raises:
        TypeError: if the scheduler is another one.
        ValueError: if the scheduler cannot take that many steps.
    """
    if isinstance(scheduler, RFlowScheduler):
        scheduler.set_timesteps(num_inference_steps, input_img_size_numel=math.prod(latent_shape[1:]))
        return RectifiedFlowStepper(scheduler)
    if isinstance(scheduler, RespacedScheduler):
        scheduler.set_timesteps(num_inference_steps)
        return scheduler
    raise TypeError(
        f"The scheduler is a {type(scheduler).__name__}, expected RespacedDDPMScheduler, RespacedDDIMScheduler, "
        "RespacedMultistepScheduler or MONAI's RFlowScheduler: its other schedulers have wrong variances or strides "
        "when steps are skipped."
    )


@torch.no_grad()
def sample_clips(
    network: Denoiser,
    scheduler: Scheduler,
    indices: Sequence[int] | torch.Tensor,
    latent_shape: Sequence[int],
    num_inference_steps: int,
    seed: int = 0,
    conditioning: Context | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
    noise_window: int | None = None,
) -> torch.Tensor:
    """Draw the latents of some clips.

    A clip's latents depend on the seed and its index, not on the other clips of the batch.

    Args:
        network: denoiser, called as ``network(x, timesteps=..., context=...)`` with x (B, C, T, H, W) and timesteps
            (B,); it returns (B, C, T, H, W), or (B, 2C, T, H, W) with variance logits.
        scheduler: one of `monai_feat.networks.schedulers`, or MONAI's `RFlowScheduler`; its timesteps are set.
        indices: index of each clip, (B,), 0 or more.
        latent_shape: shape of one clip's latents, (C, T, H, W).
        num_inference_steps: number of denoising steps.
        seed: seed of all clips, 0 or more.
        conditioning: context of each clip (B, ...), one tensor or several by name, or None.
        device: where to sample; the network's.
        progress: show a bar with the time left.
        noise_window: frames after which the noise of longer clips comes back, see `ClipNoise`; that of the
            `WindowedDenoiser` keeps long clips from turning into other ones. None for never.

    Returns:
        latents (B, C, T, H, W), float32.

    Raises:
        FloatingPointError: if the sample stops being finite.
        TypeError: if the scheduler is not one of those above.
        ValueError: if the indices, the seed or the number of steps are out of range.
    """
    stepper = prepare_stepper(scheduler, num_inference_steps, latent_shape)
    source = ClipNoise(seed, indices, latent_shape, noise_window)
    sample = source.draw(device=device)  # (B, C, T, H, W)
    steps = tqdm(stepper.timesteps, desc="denoising", unit="step", leave=None) if progress else stepper.timesteps
    for number, timestep in enumerate(steps, start=1):
        timesteps = torch.full(sample.shape[:1], float(timestep), device=device)  # (B,)
        model_output = network(sample, timesteps=timesteps, context=conditioning)  # (B, C or 2C, T, H, W)
        sample, _ = stepper.step(model_output, timestep, sample, noise=source.draw(device=device))
        if not torch.isfinite(sample).all():
            raise FloatingPointError(
                f"The sample is not finite after step {number} of {len(stepper.timesteps)} (timestep "
                f"{float(timestep):g}): the network gave {_describe(model_output)}. Check its weights, and sample "
                "without mixed precision."
            )
    return sample


def _describe(x: torch.Tensor) -> str:
    bad = int((~torch.isfinite(x)).sum())
    return f"{bad} NaN or infinite values of {x.numel()}" if bad else f"finite values up to {float(x.abs().max()):.3g}"


class ClipSampler(Inferer):
    """Makes clips from their indices; the `inferer` with which MONAI's `SupervisedEvaluator` samples.

    Where a batch does not fit into memory it is halved, with a warning, for decoding apart from denoising; the clips
    stay the same.

    Args:
        scheduler: one of `monai_feat.networks.schedulers`, or MONAI's `RFlowScheduler`. The sampler sets its timesteps,
            so give it one of its own rather than that of another sampler.
        latent_shape: shape of one clip's latents, (C, T, H, W).
        num_inference_steps: number of denoising steps.
        seed: seed of all clips, 0 or more.
        decoder: maps latents (B, C, T, H, W) to clips, such as the autoencoder's `decode`; None returns latents.
        progress: show a bar of the steps where there is a terminal.
        noise_window: frames after which the noise of longer clips comes back, see `sample_clips`.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        latent_shape: Sequence[int],
        num_inference_steps: int,
        seed: int = 0,
        decoder: Callable[[torch.Tensor], torch.Tensor] | None = None,
        progress: bool = False,
        noise_window: int | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.latent_shape = tuple(latent_shape)
        self.num_inference_steps = num_inference_steps
        self.seed = seed
        self.decoder = decoder
        self.progress = progress
        self.noise_window = noise_window
        self._denoising, self._decoding = FittingBatches(), FittingBatches()

    @torch.no_grad()
    def __call__(self, inputs: torch.Tensor, network: Denoiser, conditioning: Context | None = None) -> torch.Tensor:
        """Draw the clips of the given indices.

        Args:
            inputs: index of each clip (B,), int64, on the network's device.
            network: denoiser, called as ``network(x, timesteps=..., context=...)``.
            conditioning: context of each clip (B, ...), one tensor or several by name, or None.

        Returns:
            clips (B, C, T, H, W) as the decoder makes them, or latents if there is none.

        Raises:
            FloatingPointError: if the sample stops being finite.
            ValueError: if the inputs are not a vector of integers, or out of range.
        """
        if inputs.ndim != 1 or inputs.is_floating_point():
            raise ValueError(
                f"The inputs are {inputs.dtype} of shape {tuple(inputs.shape)}, expected one whole number for each "
                "clip, (B,): its index, which chooses its noise."
            )
        latents = self._denoising(
            lambda part: self._sample(inputs[part], network, map_context(itemgetter(part), conditioning)), len(inputs)
        )
        decoder = self.decoder
        return latents if decoder is None else self._decoding(lambda part: decoder(latents[part]), len(inputs))

    def _sample(self, inputs: torch.Tensor, network: Denoiser, conditioning: Context | None) -> torch.Tensor:
        return sample_clips(
            network,
            self.scheduler,
            inputs,
            self.latent_shape,
            self.num_inference_steps,
            self.seed,
            conditioning,
            inputs.device,
            self.progress and sys.stderr.isatty(),
            self.noise_window,
        )
