# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.networks.schedulers import RFlowScheduler

from monai_feat.inferers import ClipNoise
from monai_feat.inferers.prepare_stepper import prepare_stepper
from monai_feat.networks.schedulers import RespacedDDPMScheduler

SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_discrete_timesteps": False},
        {"use_timestep_transform": True, "base_img_size_numel": 8},
        {"use_discrete_timesteps": False, "use_timestep_transform": True, "base_img_size_numel": 6000},
    ],
)
def test_rectified_flow_integrates_a_constant_velocity_exactly(arguments: dict[str, bool | int]) -> None:
    stepper = prepare_stepper(RFlowScheduler(**arguments), 30, SHAPE, ClipNoise(0, [0], SHAPE))
    x = torch.zeros(1, *SHAPE)
    for t in stepper.timesteps:
        x = stepper.step(torch.ones_like(x), t, x)
    torch.testing.assert_close(x, torch.ones_like(x), rtol=1e-5, atol=0)


def test_the_chain_starts_from_the_clips_noise_and_each_step_takes_the_next() -> None:
    stepper = prepare_stepper(RespacedDDPMScheduler(), 3, SHAPE, ClipNoise(1, [4, 5], SHAPE))
    expected, scheduler = ClipNoise(1, [4, 5], SHAPE), RespacedDDPMScheduler()
    scheduler.set_timesteps(3)
    sample = stepper.start("cpu")
    torch.testing.assert_close(sample, expected.draw(), rtol=0, atol=0)
    assert stepper.network_input(sample, stepper.timesteps[0]) is sample
    found = stepper.step(0.1 * sample, stepper.timesteps[0], sample)
    step, _ = scheduler.step(0.1 * sample, scheduler.timesteps[0], sample, noise=expected.draw())
    torch.testing.assert_close(found, step, rtol=0, atol=0)


def test_an_unknown_number_of_channels_is_an_error() -> None:
    stepper = prepare_stepper(RFlowScheduler(), 3, SHAPE, ClipNoise(1, [4], SHAPE))
    with pytest.raises(ValueError, match=r"has 3 channels, expected 2 .* or 4"):
        stepper.step(torch.zeros(1, 3, *SHAPE[1:]), stepper.timesteps[0], torch.zeros(1, *SHAPE))
