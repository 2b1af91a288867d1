# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.inferers import SAMPLERS, sample_clips, sampling_scheduler

SHAPE = (2, 3, 4, 4)


def prediction_of(sampler: str) -> str:
    return "flow_velocity" if "flow" in sampler else "v_prediction"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_finds_the_data_of_a_perfect_network(sampler: str) -> None:
    """All data are one clip, so x_t tells the noise, and with it what a perfect network predicts."""
    scheduler = sampling_scheduler(sampler, prediction_of(sampler))
    original = torch.linspace(-2, 2, 96).reshape(1, *SHAPE)

    def network(x: torch.Tensor, timesteps: torch.Tensor, context: None) -> torch.Tensor:
        if prediction_of(sampler) == "flow_velocity":
            noise_share = (timesteps / 1000).reshape(-1, 1, 1, 1, 1)
            prediction = (original - x) / noise_share  # x = (1 - t) x_0 + t ε
        else:
            signal, sigma = scheduler.signal_and_sigma(timesteps.long(), x)
            prediction = (signal * x - original) / sigma
        return torch.cat([prediction, torch.zeros_like(x)], dim=1)

    clips = sample_clips(network, scheduler, [0, 1], SHAPE, 10)
    torch.testing.assert_close(clips, original.expand_as(clips), rtol=1e-3, atol=1e-3)


def test_arguments_reach_the_scheduler() -> None:
    assert sampling_scheduler("ddim", "epsilon", eta=0.5).eta == 0.5
    scheduler = sampling_scheduler("ddpm", "epsilon", num_train_timesteps=10, variance_type="fixed_small")
    assert (scheduler.variance_type, len(scheduler.timesteps)) == ("fixed_small", 10)
    assert sampling_scheduler("rectified_flow", "flow_velocity", 50).num_train_timesteps == 50


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ValueError, match="'euler', expected one of ddpm, ddim, multistep, rectified_flow"):
        sampling_scheduler("euler", "epsilon")
    with pytest.raises(ValueError, match="predicts 'flow_velocity', which goes with rectified_flow"):
        sampling_scheduler("ddim", "flow_velocity")
    with pytest.raises(ValueError, match="predicts 'epsilon', which goes with ddpm, ddim, multistep"):
        sampling_scheduler("rectified_flow", "epsilon")
    with pytest.raises(ValueError, match="'noise', expected one of epsilon, sample, v_prediction"):
        sampling_scheduler("ddim", "noise")
