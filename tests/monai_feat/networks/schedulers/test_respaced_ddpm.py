# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The theory test: with the optimal ε for data ~ N(0, 0.5²) every step is linear in x plus noise, so that the
variance of the sample follows a recursion, which this file computes on its own from the betas."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from monai_feat.networks.schedulers import RespacedDDPMScheduler

DATA_STD = 0.5
LEVELS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def optimal_noise(x: torch.Tensor, timestep: int) -> torch.Tensor:
    level = float(LEVELS[timestep])
    return math.sqrt(1 - level) / (level * DATA_STD**2 + 1 - level) * x


def closed_form_std(count: int, log_fraction: float) -> float:
    """Std of the end of the chain; the step variance is posterior^(1-f) beta^f for f = log_fraction."""
    levels = LEVELS[np.linspace(0, 999, count).round().astype(int)]
    total = 1.0
    for i in reversed(range(count)):
        before = levels[i - 1] if i else 1.0
        alpha, beta = levels[i] / before, 1 - levels[i] / before
        slope = (1 - beta / (levels[i] * DATA_STD**2 + 1 - levels[i])) / math.sqrt(alpha)  # Ho et al., (11)
        total *= slope**2
        if i:
            total += (beta * (1 - before) / (1 - levels[i])) ** (1 - log_fraction) * beta**log_fraction
    return math.sqrt(total)


def sampled_std(scheduler: RespacedDDPMScheduler, count: int, logit: float | None = None) -> float:
    generator = torch.Generator().manual_seed(count)
    x = torch.randn(1, 1, 40_000, generator=generator)
    x = torch.cat([x, -x], dim=2)  # antithetic: the mean is exactly zero at the start
    x = x / x.std()
    scheduler.set_timesteps(count)
    for t in scheduler.timesteps.tolist():
        output = optimal_noise(x, t)
        if logit is not None:
            output = torch.cat([output, torch.full_like(x, logit)], dim=1)
        x, _ = scheduler.step(output, t, x, generator)
    return float(x.std())


@pytest.mark.parametrize(
    ("count", "small", "large"), [(250, 0.486, 0.503), (50, 0.443, 0.518)], ids=["250 steps", "50 steps"]
)
def test_closed_form_is_the_published_one(count: int, small: float, large: float) -> None:
    assert closed_form_std(count, 0.0) == pytest.approx(small, abs=5e-4)
    assert closed_form_std(count, 1.0) == pytest.approx(large, abs=5e-4)


@pytest.mark.parametrize("count", [1000, 250, 50, 20])
@pytest.mark.parametrize(
    ("variance_type", "logit", "log_fraction"),
    [
        ("fixed_small", None, 0.0),
        ("fixed_large", None, 1.0),
        ("learned_range", -1.0, 0.0),
        ("learned_range", 0.0, 0.5),
        ("learned_range", 1.0, 1.0),
    ],
)
def test_sampled_std_agrees_with_theory(
    variance_type: str, logit: float | None, log_fraction: float, count: int
) -> None:
    std = sampled_std(RespacedDDPMScheduler(variance_type=variance_type), count, logit)
    assert std == pytest.approx(closed_form_std(count, log_fraction), rel=0.01)


def published_chain(
    z: torch.Tensor, noise: torch.Tensor, timesteps: list[int], table_dtype: type[np.floating]
) -> torch.Tensor:
    """The ancestral chain written out for the golden denoiser, its tables rounded to `table_dtype`."""
    levels = LEVELS[timesteps]
    before = np.append(1.0, levels[:-1])
    betas = 1 - levels / before
    posterior = betas * (1 - before) / (1 - levels)
    tables = {
        "recip": np.sqrt(1 / levels),
        "recipm1": np.sqrt(1 / levels - 1),
        "x0": betas * np.sqrt(before) / (1 - levels),
        "xt": (1 - before) * np.sqrt(1 - betas) / (1 - levels),
        "low": np.log(np.append(posterior[1], posterior[1:])),
        "high": np.log(betas),
    }
    tables = {name: table.astype(table_dtype).astype(np.float64) for name, table in tables.items()}
    x = z
    for step, i in enumerate(reversed(range(len(timesteps)))):
        at = {name: float(table[i]) for name, table in tables.items()}
        x0 = at["recip"] * x - at["recipm1"] * (0.5 * x + 0.1)
        fraction = (torch.tanh(x) + 1) / 2
        log_variance = fraction * at["high"] + (1 - fraction) * at["low"]
        x = at["x0"] * x0 + at["xt"] * x + (i > 0) * torch.exp(0.5 * log_variance) * noise[step]
    return x


def test_golden_chain(golden: Path) -> None:
    """The golden numbers come from tables rounded to float32; ours are float64, and so they differ by 1e-7."""
    numbers = load_file(golden / "feat_official_io_float64.safetensors")
    z, noise, expected = (numbers[key].transpose(-4, -3) for key in ("ddim10.z", "ddpm10.noise", "ddpm10.y"))
    timesteps = numbers["ddim10.timesteps"].tolist()
    scheduler = RespacedDDPMScheduler(variance_type="learned_range")
    scheduler.set_timesteps(10)
    x = z
    for t, step_noise in zip(scheduler.timesteps, noise, strict=True):
        x, _ = scheduler.step(torch.cat([0.5 * x + 0.1, torch.tanh(x)], dim=1), t, x, noise=step_noise)
    tight = {"rtol": 1e-11, "atol": 1e-11}
    torch.testing.assert_close(published_chain(z, noise, timesteps, np.float32), expected, **tight)
    torch.testing.assert_close(x, published_chain(z, noise, timesteps, np.float64), **tight)
    assert (x - expected).norm() < 1e-6 * expected.norm()


def test_last_step_adds_no_noise_and_a_seed_replays() -> None:
    scheduler = RespacedDDPMScheduler()
    x, output = torch.randn(2, 2, 4, 2, 3, 3)
    assert torch.equal(scheduler.step(output, 0, x)[0], scheduler.step(output, 0, x)[0])
    draws = [scheduler.step(output, 500, x, torch.Generator().manual_seed(1))[0] for _ in range(2)]
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], scheduler.step(output, 500, x, torch.Generator().manual_seed(2))[0])


@pytest.mark.parametrize("variance_type", ["fixed_small", "fixed_large"])
def test_fixed_variance_ignores_variance_logits(variance_type: str) -> None:
    scheduler = RespacedDDPMScheduler(variance_type=variance_type)
    x, output, noise = torch.randn(3, 2, 4, 2, 3, 3)
    plain, _ = scheduler.step(output, 500, x, noise=noise)
    split, _ = scheduler.step(torch.cat([output, torch.full_like(x, torch.nan)], dim=1), 500, x, noise=noise)
    assert torch.equal(plain, split)


def test_variance_never_exceeds_that_of_the_start() -> None:
    scheduler = RespacedDDPMScheduler(variance_type="learned_range")
    x, output, noise = torch.randn(3, 1, 4, 2, 3, 3)
    mean, large = (
        scheduler.step(torch.cat([output, torch.full_like(x, logit)], dim=1), 500, x, noise=noise)[0]
        for logit in (-1e5, 1e5)
    )
    torch.testing.assert_close(large - mean, noise, rtol=1e-5, atol=1e-5)


def test_half_precision_output_keeps_the_sample_in_float32() -> None:
    scheduler = RespacedDDPMScheduler(variance_type="learned_range")
    x = torch.randn(1, 4, 2, 2, 2)
    assert scheduler.step(torch.randn(1, 8, 2, 2, 2, dtype=torch.bfloat16), 500, x)[0].dtype == torch.float32


def test_errors() -> None:
    with pytest.raises(ValueError, match="'learned', expected one of fixed_small, fixed_large, learned_range"):
        RespacedDDPMScheduler(variance_type="learned")
    with pytest.raises(ValueError, match="needs variance logits"):
        RespacedDDPMScheduler(variance_type="learned_range").step(
            torch.zeros(1, 4, 1, 1, 1), 9, torch.zeros(1, 4, 1, 1, 1)
        )
