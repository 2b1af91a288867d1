# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch
from monai.networks.schedulers import DDPMScheduler
from torch import nn

from monai_feat.networks.schedulers import (
    RespacedDDIMScheduler,
    RespacedDDPMScheduler,
    RespacedMultistepScheduler,
    RespacedScheduler,
)
from monai_feat.networks.schedulers.respaced import step_noise

BOTH = pytest.mark.parametrize("scheduler_class", [RespacedDDPMScheduler, RespacedDDIMScheduler])
EVERY = pytest.mark.parametrize(
    "scheduler_class", [RespacedDDPMScheduler, RespacedDDIMScheduler, RespacedMultistepScheduler]
)


def exact_alphas_cumprod() -> torch.Tensor:
    return (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)


@EVERY
def test_tables_are_exact_buffers_that_no_cast_touches(scheduler_class: type[RespacedScheduler]) -> None:
    scheduler = scheduler_class()
    holder = nn.ModuleList([scheduler, nn.Linear(2, 2)])
    for cast in (holder.half, lambda: holder.to(torch.bfloat16), holder.float, holder.double):
        cast()
        assert set(dict(scheduler.named_buffers())) == {"betas", "alphas", "alphas_cumprod"}
        assert torch.equal(scheduler.alphas_cumprod, exact_alphas_cumprod())
    assert torch.equal(copy.deepcopy(scheduler).alphas_cumprod, exact_alphas_cumprod())
    assert scheduler.state_dict() == {}


def test_moving_keeps_the_dtype() -> None:
    moved = RespacedDDPMScheduler().to(device="meta", dtype=torch.float16)
    assert (moved.betas.device.type, moved.betas.dtype) == ("meta", torch.float64)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_noise_is_added_in_any_dtype_and_mutates_nothing(dtype: torch.dtype) -> None:
    scheduler = RespacedDDPMScheduler()
    x0, noise = torch.randn(2, 3, 4, 2, 4, 4, dtype=torch.float64)
    timesteps = torch.tensor([0, 500, 999])
    levels = exact_alphas_cumprod()[timesteps].reshape(3, 1, 1, 1, 1)
    noisy = scheduler.add_noise(x0.to(dtype), noise.to(dtype), timesteps)
    tolerance = 4 * torch.finfo(dtype).eps
    assert noisy.dtype == dtype
    torch.testing.assert_close(
        noisy.double(), levels.sqrt() * x0 + (1 - levels).sqrt() * noise, rtol=tolerance, atol=tolerance
    )
    velocity = scheduler.get_velocity(x0.to(dtype), noise.to(dtype), timesteps)
    torch.testing.assert_close(
        velocity.double(), levels.sqrt() * noise - (1 - levels).sqrt() * x0, rtol=tolerance, atol=tolerance
    )
    assert torch.equal(scheduler.alphas_cumprod, exact_alphas_cumprod())


@pytest.mark.parametrize("schedule", ["linear_beta", "scaled_linear_beta", "sigmoid_beta", "cosine"])
def test_schedules_are_those_of_monai(schedule: str) -> None:
    ours, theirs = RespacedDDIMScheduler(100, schedule), DDPMScheduler(100, schedule)
    torch.testing.assert_close(ours.betas, theirs.betas.double(), rtol=1e-6, atol=0)
    torch.testing.assert_close(ours.alphas_cumprod, theirs.alphas_cumprod.double(), rtol=1e-4, atol=0)


@BOTH
def test_schedule_arguments_and_steps(scheduler_class: type[RespacedScheduler]) -> None:
    scheduler = scheduler_class(num_train_timesteps=50, beta_start=0.1, beta_end=0.2)
    assert scheduler.betas[[0, -1]].tolist() == [0.1, 0.2]
    assert scheduler.timesteps.tolist() == list(range(49, -1, -1))
    scheduler.set_timesteps(2)
    assert scheduler.timesteps.tolist() == [49, 0]
    assert scheduler.num_inference_steps == 2


@pytest.mark.parametrize("prediction_type", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_a_perfect_prediction_finds_the_original(prediction_type: str, count: int) -> None:
    scheduler = RespacedDDIMScheduler(prediction_type=prediction_type)
    scheduler.set_timesteps(count)
    x0, noise = torch.randn(2, 1, 4, 2, 2, 2, dtype=torch.float64)
    t = scheduler.timesteps[:1]
    outputs = {"epsilon": noise, "sample": x0, "v_prediction": scheduler.get_velocity(x0, noise, t)}
    _, original = scheduler.step(outputs[prediction_type], t[0], scheduler.add_noise(x0, noise, t))
    torch.testing.assert_close(original, x0, rtol=1e-9, atol=1e-9)


@EVERY
def test_clipping_only_on_request(scheduler_class: type[RespacedScheduler]) -> None:
    sample, output = torch.full((1, 2, 1, 1, 1), 30.0), torch.zeros(1, 2, 1, 1, 1)
    assert scheduler_class().step(output, 999, sample)[1].max() > 30
    clipped = scheduler_class(clip_sample=True, clip_sample_max=2.0).step(output, 999, sample)
    assert clipped[1].max() == 2


@EVERY
def test_errors(scheduler_class: type[RespacedScheduler]) -> None:
    with pytest.raises(ValueError, match="'noise', expected one of epsilon, sample, v_prediction"):
        scheduler_class(prediction_type="noise")
    with pytest.raises(ValueError, match=r"'linear', expected one of linear_beta, .*cosine"):
        scheduler_class(schedule="linear")
    scheduler = scheduler_class()
    scheduler.set_timesteps(10)
    with pytest.raises(ValueError, match="Timestep 998 is not one of the 10 steps"):
        scheduler.step(torch.zeros(1, 4, 1, 1, 1), 998, torch.zeros(1, 4, 1, 1, 1))
    with pytest.raises(ValueError, match="5 channels, expected 4"):
        scheduler.step(torch.zeros(1, 5, 1, 1, 1), 999, torch.zeros(1, 4, 1, 1, 1))


def test_step_noise() -> None:
    sample = torch.zeros(2, 3, dtype=torch.float64)
    drawn = [step_noise(sample, torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*drawn)
    assert drawn[0].dtype == sample.dtype
    with pytest.raises(ValueError, match="both a generator and noise"):
        step_noise(sample, torch.Generator(), drawn[0])
    with pytest.raises(ValueError, match=r"noise has shape \(3,\), expected that of sample, \(2, 3\)"):
        step_noise(sample, noise=torch.zeros(3))
