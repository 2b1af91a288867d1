# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.networks.schedulers import RFlowScheduler
from torch import Tensor

from monai_feat.inferers import sample_clips, sampling_scheduler
from monai_feat.networks.schedulers import FlowMultistepScheduler

SHAPE = (4, 8, 8, 8)


def gaussian_velocity(variance: float) -> Any:
    """The best network for white latents of a variance: E[x_0 - ε | x_t]."""

    def network(x: Tensor, timesteps: Tensor, context: Any) -> Tensor:
        t = (timesteps / 1000)[:, None, None, None, None]
        return x * ((1 - t) * variance - t) / ((1 - t) ** 2 * variance + t**2)

    return network


def power_kept(sampler: str, variance: float, steps: int) -> float:
    scheduler = sampling_scheduler(sampler, "flow_velocity")
    latents = sample_clips(gaussian_velocity(variance), scheduler, [0, 1], SHAPE, steps)
    noise = sample_clips(lambda x, **_: torch.zeros_like(x), scheduler, [0, 1], SHAPE, 1)
    return float(latents.square().mean() / noise.square().mean() / variance)


@pytest.mark.parametrize("variance", [1.0, 0.1, 0.01])
def test_faint_modes_keep_their_power(variance: float) -> None:
    assert power_kept("flow_multistep", variance, 20) == pytest.approx(1, abs=0.06)
    assert power_kept("rectified_flow", variance, 20) < power_kept("flow_multistep", variance, 20)


def test_errors_fall_with_the_square_of_the_steps() -> None:
    errors = [abs(power_kept("flow_multistep", 0.3, steps) - 1) for steps in (40, 80, 160)]
    assert errors[0] / errors[1] > 3
    assert errors[1] / errors[2] > 3


def test_timesteps_begin_with_noise_and_are_shifted() -> None:
    scheduler = FlowMultistepScheduler(shift=0.5)
    scheduler.set_timesteps(2)
    torch.testing.assert_close(scheduler.timesteps, torch.tensor([1000.0, 1000 * 0.25 / 0.75]))
    even, straight = FlowMultistepScheduler(shift=1.0), RFlowScheduler(1000, use_discrete_timesteps=False)
    for each in (even, straight):
        each.set_timesteps(8)
    torch.testing.assert_close(even.timesteps, straight.timesteps.float())


def test_a_constant_velocity_is_followed_exactly() -> None:
    scheduler, step = FlowMultistepScheduler(), torch.full((1, *SHAPE), 0.25)
    moved = sample_clips(lambda x, **_: step, scheduler, [0], SHAPE, 5)
    start = sample_clips(lambda x, **_: torch.zeros_like(x), scheduler, [0], SHAPE, 1)
    torch.testing.assert_close(moved, start + step)


def test_impossible_numbers() -> None:
    with pytest.raises(ValueError, match="shift must be positive, got 0"):
        FlowMultistepScheduler(shift=0)
    with pytest.raises(ValueError, match="at least 1"):
        FlowMultistepScheduler().set_timesteps(0)
