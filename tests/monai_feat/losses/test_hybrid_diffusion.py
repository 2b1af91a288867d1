# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.distributions import Normal, kl_divergence

from monai_feat.importers import import_feat_checkpoint
from monai_feat.losses import HybridDiffusionLoss
from monai_feat.losses.hybrid_diffusion import (
    approximate_normal_cdf,
    discretized_gaussian_log_likelihood,
    normal_kl,
)
from monai_feat.networks.schedulers import RespacedDDIMScheduler, RespacedDDPMScheduler

LEVELS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def make_batch(
    timesteps: list[int], dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    x0, noise, logits = torch.randn(3, len(timesteps), 4, 2, 3, 3, dtype=dtype)
    x0 = (x0 / 3).clamp(-1, 1)
    output = torch.cat([noise + 0.1 * torch.randn_like(noise), torch.tanh(logits)], dim=1)
    return output, {"noise": noise, "x0": x0, "timesteps": torch.tensor(timesteps)}


@pytest.mark.parametrize("case", ["t_mid", "t_zero"])
def test_golden_losses(golden: Path, case: str) -> None:
    numbers = load_file(golden / "feat_official_io_float64.safetensors")
    network = import_feat_checkpoint(golden / "feat_official_state_dict.safetensors").double()
    scheduler = RespacedDDPMScheduler(variance_type="learned_range")
    x0, noise = (numbers[key].transpose(1, 2).contiguous() for key in ("loss.x0", "loss.noise"))
    timesteps = numbers[f"loss.{case}.t"]
    with torch.no_grad():
        output = network(scheduler.add_noise(x0, noise, timesteps), timesteps)
        terms = HybridDiffusionLoss(scheduler).terms(output, {"noise": noise, "x0": x0, "timesteps": timesteps})
    for name, term in terms.items():
        torch.testing.assert_close(term, numbers[f"loss.{case}.{name}"], rtol=1e-5, atol=0)


def test_bound_agrees_with_bayes_and_torch_distributions() -> None:
    timesteps = [1, 17, 500, 999]
    output, target = make_batch(timesteps)
    terms = HybridDiffusionLoss(RespacedDDIMScheduler()).terms(output, target)
    for b, t in enumerate(timesteps):
        level, before = LEVELS[t], LEVELS[t - 1]
        alpha, beta = level / before, 1 - level / before
        variance = 1 / (1 / (1 - before) + alpha / beta)
        x0, noise, (prediction, logits) = target["x0"][b], target["noise"][b], output[b].chunk(2)
        xt = math.sqrt(level) * x0 + math.sqrt(1 - level) * noise
        xt_share = math.sqrt(alpha) / beta * xt
        true_mean = variance * (math.sqrt(before) / (1 - before) * x0 + xt_share)
        predicted_x0 = (xt - math.sqrt(1 - level) * prediction) / math.sqrt(level)
        mean = variance * (math.sqrt(before) / (1 - before) * predicted_x0 + xt_share)
        std = (variance ** ((1 - logits) / 2) * beta ** ((1 + logits) / 2)).sqrt()
        divergence = kl_divergence(Normal(true_mean, math.sqrt(variance)), Normal(mean, std)).mean() / math.log(2)
        torch.testing.assert_close(terms["vb"][b], divergence, rtol=1e-7, atol=1e-12)
        torch.testing.assert_close(terms["mse"][b], ((prediction - noise) ** 2).mean())


def test_decoder_term_at_zero() -> None:
    """At t = 0 the mean is the predicted x_0, because nothing of x_t is left in it."""
    output, target = make_batch([0])
    vb = HybridDiffusionLoss(RespacedDDPMScheduler()).terms(output, target)["vb"]
    prediction, logits = output.chunk(2, dim=1)
    predicted_x0 = target["x0"] + math.sqrt(1 / LEVELS[0] - 1) * (target["noise"] - prediction)
    beta0, beta1 = 1e-4, 1 - LEVELS[1] / LEVELS[0]
    low, high = math.log(beta1 * (1 - LEVELS[0]) / (1 - LEVELS[1])), math.log(beta0)
    log_std = 0.5 * ((logits + 1) / 2 * high + (1 - logits) / 2 * low)
    expected = -discretized_gaussian_log_likelihood(target["x0"], predicted_x0, log_std).mean() / math.log(2)
    torch.testing.assert_close(vb[0], expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("prediction_type", ["epsilon", "sample", "v_prediction"])
def test_perfect_prediction_costs_nothing(prediction_type: str) -> None:
    scheduler = RespacedDDPMScheduler(variance_type="learned_range", prediction_type=prediction_type)
    _, target = make_batch([3, 400])
    x0, noise, t = target["x0"], target["noise"], target["timesteps"]
    wanted = {"epsilon": noise, "sample": x0, "v_prediction": scheduler.get_velocity(x0, noise, t)}[prediction_type]
    terms = HybridDiffusionLoss(scheduler).terms(torch.cat([wanted, -torch.ones_like(x0)], dim=1), target)
    for term in terms.values():
        torch.testing.assert_close(term, torch.zeros_like(term), rtol=0, atol=1e-12)


def test_bound_trains_only_the_variance_and_never_gives_nan() -> None:
    output, target = make_batch([0, 1, 999], torch.float32)
    output = (output * torch.tensor([1.0, 1e4, 1e4]).reshape(3, 1, 1, 1, 1)).requires_grad_()
    loss = HybridDiffusionLoss(RespacedDDPMScheduler())
    output.data[:, 4:].clamp_(-1, 1)
    prediction, logits = torch.autograd.grad(loss.terms(output, target)["vb"].sum(), output)[0].chunk(2, dim=1)
    assert prediction.abs().max() == 0
    assert logits.isfinite().all()
    assert logits.abs().amax(dim=(1, 2, 3, 4)).min() > 0


def test_forward_is_the_mean_of_the_terms() -> None:
    output, target = make_batch([0, 5, 999])
    loss = HybridDiffusionLoss(RespacedDDPMScheduler())
    terms = loss.terms(output, target)
    assert terms["loss"].shape == (3,)
    torch.testing.assert_close(loss(output, target), (terms["mse"] + terms["vb"]).mean())


def test_half_precision_output_is_computed_in_float32() -> None:
    output, target = make_batch([0, 5, 999], torch.float32)
    loss = HybridDiffusionLoss(RespacedDDPMScheduler())
    rounded = output.bfloat16()
    assert torch.equal(loss(rounded, target), loss(rounded.float(), target))


def test_normal_kl_agrees_with_torch() -> None:
    mean1, log_variance1, mean2, log_variance2 = torch.randn(4, 50, dtype=torch.float64)
    expected = kl_divergence(Normal(mean1, (log_variance1 / 2).exp()), Normal(mean2, (log_variance2 / 2).exp()))
    torch.testing.assert_close(normal_kl(mean1, log_variance1, mean2, log_variance2), expected)


def test_cdf_is_close_and_has_finite_gradients() -> None:
    x = torch.linspace(-6, 6, 241, dtype=torch.float64)
    assert (approximate_normal_cdf(x) - Normal(0.0, 1.0).cdf(x)).abs().max() < 2e-4
    far = torch.tensor([-1e20, 1e20], requires_grad=True)
    approximate_normal_cdf(far).sum().backward()
    assert approximate_normal_cdf(far).tolist() == [0, 1]
    assert far.grad is not None
    assert far.grad.tolist() == [0, 0]


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.01), (0.3, 0.1), (-0.99, 0.05), (1.2, 0.5)])
def test_discretized_likelihood_is_a_distribution(mean: float, std: float) -> None:
    levels = torch.linspace(-1, 1, 256, dtype=torch.float64)
    log_p = discretized_gaussian_log_likelihood(
        levels, torch.full_like(levels, mean), torch.full_like(levels, math.log(std))
    )
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_errors() -> None:
    output, target = make_batch([5, 6])
    loss = HybridDiffusionLoss(RespacedDDPMScheduler())
    with pytest.raises(ValueError, match=r"expected \['noise', 'x0', 'timesteps'\]; missing are \['x0'\]"):
        loss(output, {key: target[key] for key in ("noise", "timesteps")})
    with pytest.raises(ValueError, match="4 channels, expected 8: the hybrid loss trains variance logits"):
        loss(output[:, :4], target)
    with pytest.raises(ValueError, match="shapes do not fit"):
        loss(output, {**target, "timesteps": target["timesteps"][:1]})
    with pytest.raises(ValueError, match="shapes do not fit"):
        loss(output[:1], target)
