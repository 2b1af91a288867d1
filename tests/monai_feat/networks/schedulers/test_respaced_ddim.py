# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from monai_feat.networks.schedulers import RespacedDDIMScheduler, RespacedDDPMScheduler

DATA_STD = 0.5
LEVELS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def optimal_noise(x: torch.Tensor, timestep: int) -> torch.Tensor:
    level = float(LEVELS[timestep])
    return math.sqrt(1 - level) / (level * DATA_STD**2 + 1 - level) * x


def closed_form_std(count: int) -> float:
    """Product of the slopes of x_{t-1} = √ᾱ_{t-1} x_0(x_t) + √(1 - ᾱ_{t-1}) ε(x_t), for N(0, 0.5²)."""
    levels = LEVELS[np.linspace(0, 999, count).round().astype(int)]
    slope = 1.0
    for level, before in zip(levels[::-1], [*levels[-2::-1], 1.0], strict=True):
        power = level * DATA_STD**2 + 1 - level
        slope *= (math.sqrt(before * level) * DATA_STD**2 + math.sqrt((1 - before) * (1 - level))) / power
    return slope


@pytest.mark.parametrize(("count", "std"), [(250, 0.494), (50, 0.472)])
def test_closed_form_is_the_published_one(count: int, std: float) -> None:
    assert closed_form_std(count) == pytest.approx(std, abs=5e-4)


@pytest.mark.parametrize("count", [1000, 250, 50, 20])
def test_chain_agrees_with_theory(count: int) -> None:
    scheduler = RespacedDDIMScheduler()
    scheduler.set_timesteps(count)
    x = torch.ones(1, 1, 1, dtype=torch.float64)
    for t in scheduler.timesteps.tolist():
        x, _ = scheduler.step(optimal_noise(x, t), t, x)
    assert float(x) == pytest.approx(closed_form_std(count), rel=1e-9)


def test_noise_of_eta_one_is_that_of_ddpm() -> None:
    """At eta = 1 the implicit sampler is the ancestral one with the small variance (Song et al., section 4.1)."""
    ddim, ddpm = RespacedDDIMScheduler(eta=1.0), RespacedDDPMScheduler(variance_type="fixed_small")
    for scheduler in (ddim, ddpm):
        scheduler.set_timesteps(20)
    x, output, noise = torch.randn(3, 2, 4, 2, 3, 3, dtype=torch.float64)
    for t in ddim.timesteps:
        torch.testing.assert_close(
            ddim.step(output, t, x, noise=noise)[0], ddpm.step(output, t, x, noise=noise)[0], rtol=1e-9, atol=1e-9
        )


def written_out_chain(z: torch.Tensor, timesteps: list[int]) -> torch.Tensor:
    """The implicit chain of the golden denoiser ε = 0.5 x + 0.1, step by step from its definition."""
    levels = LEVELS[timesteps].tolist()
    x = z
    for level, before in zip(levels[::-1], [*levels[-2::-1], 1.0], strict=True):
        noise = 0.5 * x + 0.1
        x0 = (x - math.sqrt(1 - level) * noise) / math.sqrt(level)
        x = math.sqrt(before) * x0 + math.sqrt(1 - before) * noise
    return x


def test_golden_chain(golden: Path) -> None:
    """The golden numbers come from tables and square roots in float32, ours are float64: they differ by 3e-7."""
    numbers = load_file(golden / "feat_official_io_float64.safetensors")
    z, expected = (numbers[key].transpose(-4, -3) for key in ("ddim10.z", "ddim10.y"))
    timesteps = numbers["ddim10.timesteps"].tolist()
    scheduler = RespacedDDIMScheduler()
    scheduler.set_timesteps(10)
    x = z
    for t in scheduler.timesteps:
        x, _ = scheduler.step(torch.cat([0.5 * x + 0.1, torch.tanh(x)], dim=1), t, x)
    torch.testing.assert_close(x, written_out_chain(z, timesteps), rtol=1e-11, atol=1e-11)
    assert (x - expected).norm() < 1e-6 * expected.norm()


def test_variance_logits_are_ignored() -> None:
    scheduler = RespacedDDIMScheduler()
    x, output = torch.randn(2, 2, 4, 2, 3, 3)
    split = torch.cat([output, torch.full_like(x, torch.nan)], dim=1)
    assert torch.equal(scheduler.step(output, 9, x)[0], scheduler.step(split, 9, x)[0])


def test_inversion_undoes_a_step_for_a_constant_prediction() -> None:
    scheduler = RespacedDDIMScheduler()
    scheduler.set_timesteps(10)
    x, output = torch.randn(2, 1, 4, 2, 3, 3, dtype=torch.float64)
    forward, original = scheduler.step(output, 999, x)
    back, same_original = scheduler.reversed_step(output, 888, forward)
    torch.testing.assert_close(back, x, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(original, same_original, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="Timestep 999 is the noisiest"):
        scheduler.reversed_step(output, 999, x)


@pytest.mark.parametrize("eta", [-0.1, 1.1])
def test_impossible_eta(eta: float) -> None:
    with pytest.raises(ValueError, match=f"eta is {eta}, expected 0"):
        RespacedDDIMScheduler(eta=eta)
