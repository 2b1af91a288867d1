# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from monai_feat.networks.schedulers.diffusion_tables import (
    gaussian_chain,
    interpolate_log_variance,
    log_snr_timesteps,
    lookup,
    original_from_prediction,
    prediction_target,
    respaced_timesteps,
    split_variance,
)

BETAS = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
ALPHAS_CUMPROD = (1 - BETAS).cumprod(0)


def test_golden_timesteps(golden: Path) -> None:
    expected = load_file(golden / "feat_official_io_float64.safetensors")["ddim10.timesteps"]
    assert respaced_timesteps(1000, 10) == expected.tolist()


def test_every_number_of_steps_is_spread_evenly_from_end_to_end() -> None:
    for count in range(2, 101):
        steps = respaced_timesteps(100, count)
        assert (steps[0], steps[-1], len(steps)) == (0, 99, count)
        assert all(abs(step - 99 * i / (count - 1)) <= 0.5 + 1e-9 for i, step in enumerate(steps))
        assert steps == sorted(set(steps))
    assert respaced_timesteps(100, 1) == [99]


@pytest.mark.parametrize("count", [1, 4, 20])
def test_few_steps_are_nearest_to_even_signal_to_noise(count: int) -> None:
    log_snr = (ALPHAS_CUMPROD / (1 - ALPHAS_CUMPROD)).sqrt().log()
    wanted = [log_snr[0] + (log_snr[-1] - log_snr[0]) * i / count for i in range(1, count + 1)]
    assert log_snr_timesteps(ALPHAS_CUMPROD, count) == [int((log_snr - value).abs().argmin()) for value in wanted]


@pytest.mark.parametrize("count", [50, 250, 900, 1000])
def test_many_steps_are_distinct_down_to_the_cleanest(count: int) -> None:
    steps = log_snr_timesteps(ALPHAS_CUMPROD, count)
    assert (steps[0], steps[-1], len(steps)) == (0, 999, count)
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("count", [0, -1, 101])
def test_impossible_number_of_steps(count: int) -> None:
    for spread in (partial(respaced_timesteps, 100), partial(log_snr_timesteps, ALPHAS_CUMPROD[:100])):
        with pytest.raises(ValueError, match=f"num_inference_steps is {count}, expected 1 to 100"):
            spread(count)


def test_full_chain_gives_back_the_betas() -> None:
    chain = gaussian_chain(ALPHAS_CUMPROD)
    torch.testing.assert_close(chain.betas, BETAS, rtol=1e-10, atol=0)
    assert all(table.dtype == torch.float64 for table in vars(chain).values())


def test_posterior_agrees_with_bayes() -> None:
    """Bayes' rule on x_{i-1} given x_0 and x_i: precisions add, means add weighted by them."""
    levels = ALPHAS_CUMPROD[respaced_timesteps(1000, 7)]
    chain = gaussian_chain(levels)
    for i in range(1, 7):
        alpha = levels[i] / levels[i - 1]
        prior, likelihood = 1 / (1 - levels[i - 1]), alpha / (1 - alpha)
        variance = 1 / (prior + likelihood)
        torch.testing.assert_close(chain.posterior_variance[i], variance, rtol=1e-11, atol=0)
        torch.testing.assert_close(chain.posterior_mean_x0[i], variance * prior * levels[i - 1].sqrt())
        torch.testing.assert_close(chain.posterior_mean_xt[i], variance * likelihood / alpha.sqrt())
    assert chain.posterior_variance[0] == 0
    assert chain.posterior_log_variance[0] == chain.posterior_log_variance[1] == chain.posterior_variance[1].log()


def test_chain_of_one_step_is_finite() -> None:
    assert all(table.isfinite().all() for table in vars(gaussian_chain(ALPHAS_CUMPROD[-1:])).values())


@pytest.mark.parametrize("prediction_type", ["epsilon", "sample", "v_prediction"])
def test_the_target_gives_back_the_original(prediction_type: str) -> None:
    x0, noise = torch.randn(2, 3, 4, 2, 2, 2, dtype=torch.float64)
    xt = 0.6 * x0 + 0.8 * noise
    target = prediction_target(prediction_type, x0, noise, 0.6, 0.8)
    torch.testing.assert_close(original_from_prediction(prediction_type, target, xt, 0.6, 0.8), x0)


def test_lookup_keeps_at_least_float32() -> None:
    like = torch.zeros(2, 4, 3, 2, 2)
    timesteps = torch.tensor([0, 999])
    for dtype, expected in ((torch.bfloat16, torch.float32), (torch.float64, torch.float64)):
        found = lookup(ALPHAS_CUMPROD, timesteps, like.to(dtype))
        assert found.dtype == expected
        assert found.shape == (2, 1, 1, 1, 1)
    torch.testing.assert_close(found.flatten(), ALPHAS_CUMPROD[timesteps], rtol=0, atol=0)


def test_split_variance() -> None:
    output = torch.arange(8.0).reshape(1, 8, 1, 1, 1)
    prediction, logits = split_variance(output, 4)
    assert prediction.flatten().tolist() == [0, 1, 2, 3]
    assert logits is not None
    assert logits.flatten().tolist() == [4, 5, 6, 7]
    assert split_variance(output, 8)[1] is None
    with pytest.raises(ValueError, match=r"8 channels, expected 3 .* or 6"):
        split_variance(output, 3)


def test_log_variance_is_a_geometric_mean_halfway() -> None:
    variance = interpolate_log_variance(
        torch.tensor([-1.0, 0.0, 1.0]), torch.tensor(4.0).log(), torch.tensor(9.0).log()
    )
    torch.testing.assert_close(variance.exp(), torch.tensor([4.0, 6.0, 9.0]))
