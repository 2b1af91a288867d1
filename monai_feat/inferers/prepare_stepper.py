# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The adapter of each kind of scheduler."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch

from monai.networks.schedulers.rectified_flow import RFlowScheduler

from monai_feat.inferers.foreign_stepper import ForeignStepper
from monai_feat.inferers.noise import ClipNoise
from monai_feat.inferers.stepper import FlowMultistepStepper, RectifiedFlowStepper, RespacedStepper, Stepper
from monai_feat.networks.schedulers import FlowMultistepScheduler, RespacedScheduler


@singledispatch
def prepare_stepper(
    scheduler: object, num_inference_steps: int, latent_shape: Sequence[int], source: ClipNoise
) -> Stepper:
    """Set a scheduler's timesteps and adapt it to the sampler; ``prepare_stepper.register`` adds an adapter.

    Args:
        scheduler: one of ours, or any that `ForeignStepper` takes.
        num_inference_steps: number of steps.
        latent_shape: shape of one clip's latents, (C, T, H, W).
        source: noise of each clip of the batch.

    Returns:
        what the sampler steps with.

    Raises:
        TypeError: if the scheduler lacks what the sampler needs.
        ValueError: if the scheduler cannot take that many steps.
    """
    return ForeignStepper(scheduler, num_inference_steps, source)


@prepare_stepper.register
def _(
    scheduler: RespacedScheduler, num_inference_steps: int, latent_shape: Sequence[int], source: ClipNoise
) -> Stepper:
    scheduler.set_timesteps(num_inference_steps)
    return RespacedStepper(scheduler, source)


@prepare_stepper.register
def _(scheduler: RFlowScheduler, num_inference_steps: int, latent_shape: Sequence[int], source: ClipNoise) -> Stepper:
    scheduler.set_timesteps(num_inference_steps, input_img_size_numel=math.prod(latent_shape[1:]))
    return RectifiedFlowStepper(scheduler, source)


@prepare_stepper.register
def _(
    scheduler: FlowMultistepScheduler, num_inference_steps: int, latent_shape: Sequence[int], source: ClipNoise
) -> Stepper:
    scheduler.set_timesteps(num_inference_steps)
    return FlowMultistepStepper(scheduler, source)
