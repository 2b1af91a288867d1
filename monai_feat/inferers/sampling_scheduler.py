# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Samplers by name, and which of them goes with what a network predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from monai.networks.schedulers.ddpm import DDPMVarianceType
from monai.networks.schedulers.rectified_flow import RFlowScheduler
from monai.networks.schedulers.scheduler import Scheduler

from monai_feat.inferers.forward_process import FLOW_VELOCITY
from monai_feat.networks.schedulers import (
    FlowMultistepScheduler,
    RespacedDDIMScheduler,
    RespacedDDPMScheduler,
    RespacedMultistepScheduler,
)

_OF_DIFFUSION: dict[str, Callable[..., Scheduler]] = {
    "ddpm": partial(RespacedDDPMScheduler, variance_type=DDPMVarianceType.LEARNED_RANGE),
    "ddim": RespacedDDIMScheduler,
    "multistep": RespacedMultistepScheduler,
}
_OF_FLOW: dict[str, Callable[..., Scheduler]] = {
    "rectified_flow": partial(RFlowScheduler, use_discrete_timesteps=False),
    "flow_multistep": FlowMultistepScheduler,
}
DIFFUSION_SAMPLERS = tuple(_OF_DIFFUSION)
SAMPLERS = (*DIFFUSION_SAMPLERS, *_OF_FLOW)


def sampling_scheduler(
    sampler: str,
    prediction_type: str,
    num_train_timesteps: int = 1000,
    noise_schedule: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> Scheduler:
    """Make the scheduler of a sampler, and refuse one that the network was not trained for.

    Args:
        sampler: "ddpm", ancestral, with the variance that the network has learned; "ddim" or "multistep", deterministic
            of first or second order; "rectified_flow", straight lines, or "flow_multistep", of second order.
        prediction_type: what the network predicts: "epsilon", "sample" or "v_prediction" for the first three samplers,
            "flow_velocity" for the last two.
        num_train_timesteps: number of steps of the training chain.
        noise_schedule: of the training chain: ``schedule``, a name of MONAI's ``NoiseSchedules``, and its arguments;
            None for the linear one. Rectified flow has none.
        arguments: of the scheduler, such as the ``eta`` of "ddim".

    Returns:
        a scheduler that `sample_clips` takes.

    Raises:
        ValueError: if the sampler or the prediction type is unknown, or they do not go together.

    Example:
        >>> type(sampling_scheduler("multistep", "v_prediction")).__name__
        'RespacedMultistepScheduler'
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"The sampler is {sampler!r}, expected one of {', '.join(SAMPLERS)}.")
    fitting = _OF_FLOW if prediction_type == FLOW_VELOCITY else _OF_DIFFUSION
    if sampler not in fitting:
        raise ValueError(
            f"The sampler is {sampler!r}, but the network predicts {prediction_type!r}, which goes with "
            f"{', '.join(fitting)}: choose one of these (in the bundles: --sampler {next(reversed(fitting))})."
        )
    own = {} if fitting is _OF_FLOW else {"prediction_type": prediction_type, **(noise_schedule or {})}
    return fitting[sampler](num_train_timesteps=num_train_timesteps, **own, **arguments)
