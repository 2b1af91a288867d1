# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from monai.networks.schedulers import DDIMScheduler
from monai.networks.schedulers.rectified_flow import RFlowScheduler

from monai_feat.inferers.foreign_stepper import ForeignStepper
from monai_feat.inferers.noise import ClipNoise
from monai_feat.inferers.prepare_stepper import prepare_stepper
from monai_feat.inferers.stepper import FlowMultistepStepper, RectifiedFlowStepper, RespacedStepper
from monai_feat.networks.schedulers import FlowMultistepScheduler, RespacedDDIMScheduler, RespacedMultistepScheduler

SHAPE = (2, 3, 4, 4)


@pytest.mark.parametrize(
    ("scheduler", "adapter"),
    [
        (RespacedDDIMScheduler(), RespacedStepper),
        (RespacedMultistepScheduler(), RespacedStepper),
        (RFlowScheduler(), RectifiedFlowStepper),
        (FlowMultistepScheduler(), FlowMultistepStepper),
        (DDIMScheduler(clip_sample=False, steps_offset=249), ForeignStepper),
        (FlowMatchEulerDiscreteScheduler(), ForeignStepper),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_scheduler_finds_its_adapter_with_its_steps_set(scheduler: Any, adapter: type) -> None:
    stepper = prepare_stepper(scheduler, 4, SHAPE, ClipNoise(0, [0], SHAPE))
    assert type(stepper) is adapter
    assert torch.equal(torch.as_tensor(stepper.timesteps), torch.as_tensor(scheduler.timesteps))
    assert len(scheduler.timesteps) == 4


def test_an_adapter_of_ones_own_is_registered() -> None:
    class Mine(RFlowScheduler):
        """Any class that a user has."""

    class MyStepper(RectifiedFlowStepper):
        """Its adapter."""

    def adapt(scheduler: Mine, num_inference_steps: int, latent_shape: Any, source: ClipNoise) -> MyStepper:
        scheduler.set_timesteps(num_inference_steps)
        return MyStepper(scheduler, source)

    prepare_stepper.register(Mine, adapt)
    assert type(prepare_stepper(Mine(), 3, SHAPE, ClipNoise(0, [0], SHAPE))) is MyStepper


def test_what_is_no_scheduler_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(TypeError, match="without set_timesteps and step"):
        prepare_stepper(object(), 3, SHAPE, ClipNoise(0, [0], SHAPE))
