# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from monai_feat.networks.schedulers import RespacedDDIMScheduler, RespacedMultistepScheduler, RespacedScheduler

DATA_STD = 0.5
SHAPE = (2, 4, 2, 3, 3)


def optimal_noise(scheduler: RespacedScheduler, x: torch.Tensor, timestep: int) -> torch.Tensor:
    """What the perfect network for data of N(0, 0.5²) predicts."""
    level = scheduler.alphas_cumprod[timestep].item()
    return math.sqrt(1 - level) / (level * DATA_STD**2 + 1 - level) * x


def sample(scheduler: RespacedScheduler, x: torch.Tensor, steps: int | None = None) -> torch.Tensor:
    """Take so many steps down the chain, or all."""
    for t in scheduler.timesteps[:steps].tolist():
        x, _ = scheduler.step(optimal_noise(scheduler, x, t), t, x)
    return x


def error_halfway(scheduler_class: type[RespacedScheduler], num_steps: int) -> float:
    """Follow the flow of N(0, 0.5²), x(t) ∝ √(ᾱ 0.5² + 1 - ᾱ), over half the steps of a chain fine enough for any."""
    scheduler = scheduler_class(num_train_timesteps=40_001, beta_start=1e-4 / 40, beta_end=0.02 / 40)
    scheduler.set_timesteps(num_steps)
    halfway = int(scheduler.timesteps[num_steps // 2])
    powers = scheduler.alphas_cumprod * DATA_STD**2 + 1 - scheduler.alphas_cumprod
    exact = (powers[halfway] / powers[-1]).sqrt().item()
    return abs(sample(scheduler, torch.ones(1, 1, 1, dtype=torch.float64), num_steps // 2).item() - exact)


@pytest.mark.parametrize(("scheduler_class", "order"), [(RespacedDDIMScheduler, 1), (RespacedMultistepScheduler, 2)])
def test_order_of_convergence(scheduler_class: type[RespacedScheduler], order: int) -> None:
    errors = [error_halfway(scheduler_class, num_steps) for num_steps in (50, 100, 200, 400)]
    measured = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert measured == pytest.approx([order] * 3, abs=0.15)


def test_few_steps_do_what_takes_ddim_ten_times_as_many() -> None:
    """The whole chain, down to the data: the flow ends at 0.5 / √(ᾱ 0.5² + 1 - ᾱ) of where it starts."""
    errors = []
    for scheduler, num_steps in ((RespacedMultistepScheduler(), 25), (RespacedDDIMScheduler(), 250)):
        scheduler.set_timesteps(num_steps)
        level = scheduler.alphas_cumprod[-1].item()
        exact = DATA_STD / math.sqrt(level * DATA_STD**2 + 1 - level)
        errors.append(abs(sample(scheduler, torch.ones(1, 1, 1, dtype=torch.float64)).item() - exact))
    assert errors[0] < errors[1] < 0.01


@pytest.mark.parametrize("prediction_type", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("num_steps", [2, 5, 25])
def test_agrees_with_diffusers(prediction_type: str, num_steps: int) -> None:
    """Given the same timesteps, and a network that is not a Gaussian's; theirs computes its tables in float32."""
    diffusers = pytest.importorskip("diffusers")
    ours = RespacedMultistepScheduler(prediction_type=prediction_type)
    ours.set_timesteps(num_steps)
    theirs = diffusers.DPMSolverMultistepScheduler(
        beta_start=1e-4, beta_end=0.02, prediction_type=prediction_type, lower_order_final=False
    )
    theirs.set_timesteps(timesteps=ours.timesteps.tolist())
    x = y = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for t in ours.timesteps:
        x, _ = ours.step(torch.tanh(x) + 0.1 * x.roll(1, -1) + t / 1000, t, x)
        y = theirs.step(torch.tanh(y) + 0.1 * y.roll(1, -1) + t / 1000, t, y).prev_sample
    assert (x - y).norm() < 1e-4 * x.norm()


@pytest.mark.parametrize("num_steps", [1, 2, 7])
def test_is_exact_where_the_original_is_certain(num_steps: int) -> None:
    scheduler = RespacedMultistepScheduler()
    scheduler.set_timesteps(num_steps)
    original, noise = torch.randn(2, *SHAPE, dtype=torch.float64)
    x = scheduler.add_noise(original, noise, scheduler.timesteps[:1].expand(len(original)))
    for t in scheduler.timesteps:
        level = scheduler.alphas_cumprod[t]
        x, predicted = scheduler.step((x - level.sqrt() * original) / (1 - level).sqrt(), t, x)
        torch.testing.assert_close(predicted, original, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(x, original, rtol=1e-9, atol=1e-9)


def test_first_and_last_step_are_those_of_ddim() -> None:
    multistep, ddim = RespacedMultistepScheduler(), RespacedDDIMScheduler()
    x, output = torch.randn(2, *SHAPE, dtype=torch.float64)
    for scheduler in (multistep, ddim):
        scheduler.set_timesteps(1000)
    results = [[scheduler.step(output, t, x)[0] for t in (999, 0)] for scheduler in (multistep, ddim)]
    torch.testing.assert_close(results[0], results[1], rtol=1e-9, atol=1e-9)


def test_nothing_leaks_between_batches_sampled_by_turns() -> None:
    scheduler, first_order = (
        scheduler_class(num_train_timesteps=6, beta_start=0.1, beta_end=0.5)
        for scheduler_class in (RespacedMultistepScheduler, RespacedDDIMScheduler)
    )
    start = torch.randn(2, *SHAPE, dtype=torch.float64)
    alone = sample(scheduler, start[0])
    turns = list(start)
    for t in scheduler.timesteps.tolist():
        turns = [scheduler.step(optimal_noise(scheduler, x, t), t, x)[0] for x in turns]
    torch.testing.assert_close(turns[0], sample(first_order, start[0]), rtol=1e-9, atol=1e-9)
    assert not torch.allclose(turns[0], alone)
    torch.testing.assert_close(sample(scheduler, start[0]), alone, rtol=0, atol=0)


def test_a_chain_that_broke_off_leaves_nothing_behind() -> None:
    scheduler = RespacedMultistepScheduler()
    scheduler.set_timesteps(6)
    x = torch.randn(SHAPE, dtype=torch.float64)
    whole = sample(scheduler, x)
    assert scheduler._last is None  # a batch in memory for nothing
    y, _ = scheduler.step(x, 999, x)
    assert scheduler._last is not None
    scheduler.set_timesteps(6)
    assert scheduler._last is None
    assert torch.equal(scheduler.step(x, 999, x)[0], y)
    assert torch.equal(sample(scheduler, x), whole)


def test_variance_logits_noise_and_generator_are_ignored() -> None:
    scheduler = RespacedMultistepScheduler()
    x, output = torch.randn(2, *SHAPE)
    split = torch.cat([output, torch.full_like(x, torch.nan)], dim=1)
    expected = scheduler.step(output, 500, x)[0]
    assert torch.equal(scheduler.step(split, 500, x, torch.Generator())[0], expected)
    assert torch.equal(scheduler.step(output, 500, x, noise=torch.full_like(x, torch.nan))[0], expected)


def test_a_step_must_be_of_the_chain() -> None:
    scheduler = RespacedMultistepScheduler()
    scheduler.set_timesteps(10)
    with pytest.raises(ValueError, match="Timestep 998 is not one of the 10 steps"):
        scheduler.step(torch.zeros(SHAPE), 998, torch.zeros(SHAPE))
