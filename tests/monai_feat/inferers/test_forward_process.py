# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import diffusers
import pytest
import torch
from monai.networks.schedulers import DDIMScheduler, PNDMScheduler, RFlowScheduler

from monai_feat.inferers.forward_process import FLOW_VELOCITY, ForwardProcess, forward_process
from monai_feat.networks.schedulers import RespacedDDIMScheduler

SHAPE = (2, 4, 2, 4, 4)
SCHEDULERS: dict[str, Any] = {
    "ours": RespacedDDIMScheduler(prediction_type="v_prediction"),
    "MONAI's DDIM": DDIMScheduler(1000, prediction_type="sample"),
    "MONAI's PNDM": PNDMScheduler(1000),
    "MONAI's RFlow": RFlowScheduler(),
    "diffusers' DDIM": diffusers.DDIMScheduler(),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_it_is_the_add_noise_of_the_scheduler(name: str) -> None:
    scheduler, timesteps = SCHEDULERS[name], torch.tensor([40, 900])
    original, noise = torch.randn(2, *SHAPE)
    signal, sigma = forward_process(scheduler).levels(timesteps, noise)
    expected = scheduler.add_noise(original, noise, timesteps)
    torch.testing.assert_close(signal * original + sigma * noise, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("karras", [False, True])
def test_between_two_timesteps_it_has_the_level_of_diffusers_solvers(karras: bool) -> None:
    scheduler = diffusers.HeunDiscreteScheduler(use_karras_sigmas=karras, beta_schedule="scaled_linear")
    scheduler.set_timesteps(7)
    timesteps, levels = scheduler.timesteps[::2], scheduler.sigmas[:-1:2]
    signal, sigma = forward_process(scheduler).levels(timesteps, torch.zeros(len(timesteps), 1))
    torch.testing.assert_close((sigma / signal).flatten(), levels, rtol=2e-3, atol=0)


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction", FLOW_VELOCITY])
def test_the_exact_prediction_is_the_training_target(kind: str) -> None:
    original, noise = torch.randn(2, *SHAPE).double()
    process = ForwardProcess(lambda timesteps, like: (torch.tensor(0.6), torch.tensor(0.8)), kind)
    targets = {
        "epsilon": noise,
        "sample": original,
        "v_prediction": 0.6 * noise - 0.8 * original,
        FLOW_VELOCITY: original - noise,
    }
    found = process.exact_prediction(original, 0.6 * original + 0.8 * noise, torch.zeros(2))
    torch.testing.assert_close(found, targets[kind], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("scheduler", "kind"),
    [
        (RFlowScheduler(), FLOW_VELOCITY),
        (diffusers.FlowMatchEulerDiscreteScheduler(), FLOW_VELOCITY),
        (diffusers.DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True), FLOW_VELOCITY),
        (diffusers.DDIMScheduler(prediction_type="v_prediction"), "v_prediction"),
    ],
)
def test_what_the_network_predicts_is_read_from_the_scheduler(scheduler: object, kind: str) -> None:
    assert forward_process(scheduler).prediction_type == kind


@pytest.mark.parametrize("scheduler", [diffusers.EDMEulerScheduler(), diffusers.DDPMScheduler(prediction_type="odd")])
def test_a_scheduler_that_does_not_say_it_is_refused(scheduler: object) -> None:
    with pytest.raises(TypeError, match="alphas_cumprod and one of epsilon, sample, v_prediction"):
        forward_process(scheduler)
