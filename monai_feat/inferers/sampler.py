# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sampling of clips: a plain function over any denoiser, and the inferer around it.

B clips in a batch; C channels, T frames, H and W rows and columns of the latents.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from operator import itemgetter

import torch
from monai.inferers.inferer import Inferer
from monai.utils.module import optional_import

from monai_feat.conditions import Context, map_context
from monai_feat.inferers.memory import FittingBatches
from monai_feat.inferers.noise import ClipNoise
from monai_feat.inferers.prepare_stepper import prepare_stepper

tqdm, _ = optional_import("tqdm", name="tqdm")

Denoiser = Callable[..., torch.Tensor]
"""A network called as ``network(x, timesteps=..., context=...)``."""


@torch.no_grad()
def sample_clips(
    network: Denoiser,
    scheduler: object,
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
        scheduler: one of `monai_feat.networks.schedulers`, MONAI's `RFlowScheduler`, or any other, of MONAI, diffusers
            or your own, with ``set_timesteps(n)``, ``timesteps`` and ``step(model_output, timestep, sample)``, see
            `ForeignStepper`; its timesteps are set.
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
        TypeError: if the scheduler lacks what the sampler needs.
        ValueError: if the indices, the seed or the number of steps are out of range.
    """
    source = ClipNoise(seed, indices, latent_shape, noise_window)
    stepper = prepare_stepper(scheduler, num_inference_steps, latent_shape, source)
    sample = stepper.start(device)  # (B, C, T, H, W)
    steps = tqdm(stepper.timesteps, desc="denoising", unit="step", leave=None) if progress else stepper.timesteps
    for number, timestep in enumerate(steps, start=1):
        timesteps = torch.full(sample.shape[:1], float(timestep), device=device)  # (B,)
        x = stepper.network_input(sample, timestep)
        model_output = network(x, timesteps=timesteps, context=conditioning)  # (B, C or 2C, T, H, W)
        sample = stepper.step(model_output, timestep, sample)
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
        scheduler: as `sample_clips` takes it. The sampler sets its timesteps, so give it one of its own rather than
            that of another sampler.
        latent_shape: shape of one clip's latents, (C, T, H, W).
        num_inference_steps: number of denoising steps.
        seed: seed of all clips, 0 or more.
        decoder: maps latents (B, C, T, H, W) to clips, such as the autoencoder's `decode`; None returns latents.
        progress: show a bar of the steps where there is a terminal.
        noise_window: frames after which the noise of longer clips comes back, see `sample_clips`.
    """

    def __init__(
        self,
        scheduler: object,
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
