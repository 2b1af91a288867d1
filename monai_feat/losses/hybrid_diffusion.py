# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The hybrid loss of Improved DDPM: squared error, plus the variational bound that teaches the variance.

Letters follow Nichol and Dhariwal (https://arxiv.org/abs/2102.09672) and Ho et al. (https://arxiv.org/abs/2006.11239).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

from monai_feat.networks.schedulers.diffusion_tables import (
    gaussian_chain,
    interpolate_log_variance,
    lookup,
    original_from_prediction,
    prediction_target,
    split_variance,
)
from monai_feat.networks.schedulers.respaced import RespacedScheduler

TARGET_KEYS = ("noise", "x0", "timesteps")


def normal_kl(
    mean1: torch.Tensor, log_variance1: torch.Tensor, mean2: torch.Tensor, log_variance2: torch.Tensor
) -> torch.Tensor:
    """Compute KL(N₁ ‖ N₂) of two normal laws, element by element.

    Args:
        mean1: mean of the first law; all arguments broadcast against each other.
        log_variance1: its log variance.
        mean2: mean of the second law.
        log_variance2: its log variance.

    Returns:
        the divergence in nats, of the common shape.
    """
    log_ratio = log_variance1 - log_variance2
    return 0.5 * (log_ratio.exp() - 1.0 - log_ratio + (mean1 - mean2) ** 2 * torch.exp(-log_variance2))


def approximate_normal_cdf(x: torch.Tensor) -> torch.Tensor:
    """Approximate the standard normal distribution function by a tanh, as the published losses do.

    Source: Page, "Approximations to the cumulative normal function", Applied Statistics 26, 1977; off by 2e-4 at most.

    Args:
        x: any shape.

    Returns:
        Φ(x), the same shape.
    """
    # Saturated long before ±10; without the bound, the cube overflows and its gradient is 0 · ∞.
    x = x.clamp(-10.0, 10.0)
    return 0.5 * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def discretized_gaussian_log_likelihood(x: torch.Tensor, mean: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
    """Compute the log probability of 8-bit values under a normal law whose tails belong to the outer bins.

    Source: Ho et al., equation 13.

    Args:
        x: values of 256 levels spread over [-1, 1], any shape.
        mean: mean of the law, the same shape.
        log_std: log standard deviation, the same shape.

    Returns:
        log probability in nats, the same shape, at least log 1e-12.
    """
    half_bin = 1.0 / 255.0
    precision = torch.exp(-log_std)
    below_upper = approximate_normal_cdf(precision * (x - mean + half_bin))
    below_lower = approximate_normal_cdf(precision * (x - mean - half_bin))
    upper = torch.where(x > 0.999, torch.ones_like(x), below_upper)
    lower = torch.where(x < -0.999, torch.zeros_like(x), below_lower)
    return torch.log((upper - lower).clamp(min=1e-12))


def mean_per_sample(x: torch.Tensor) -> torch.Tensor:
    """Average over all axes but the first.

    Args:
        x: (B, ...).

    Returns:
        (B,).
    """
    return x.flatten(1).mean(dim=1)


class HybridDiffusionLoss(nn.Module):
    """Mean squared error of the prediction plus the variational bound, whose gradient reaches only the variance.

    Source: Improved DDPM, equation 16, in the form that FEAT and its peers train with: the bound of one step, in bits
    per value, with weight 1. The terms are computed in float32 at least.

    Args:
        scheduler: scheduler whose training chain diffused the samples; any `variance_type`.

    Example:
        >>> from monai_feat.networks.schedulers import RespacedDDPMScheduler
        >>> loss = HybridDiffusionLoss(RespacedDDPMScheduler(variance_type="learned_range"))
        >>> zeros = torch.zeros(1, 4, 2, 2, 2)
        >>> target = {"noise": zeros, "x0": zeros, "timesteps": torch.tensor([9])}
        >>> float(loss.terms(torch.ones(1, 8, 2, 2, 2), target)["mse"])
        1.0
    """

    def __init__(self, scheduler: RespacedScheduler) -> None:
        super().__init__()
        self.prediction_type = scheduler.prediction_type
        self.chain = gaussian_chain(scheduler.alphas_cumprod)

    def forward(self, model_output: torch.Tensor, target: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Compute the mean loss of a batch.

        Args:
            model_output: prediction and variance logits (B, 2C, ...), for x_t of the target's noise and timesteps.
            target: "noise" ε and "x0", both (B, C, ...), and "timesteps" (B,), int64.

        Returns:
            scalar.

        Raises:
            ValueError: if the target lacks a key, or the shapes do not fit.
        """
        return self.terms(model_output, target)["loss"].mean()

    def terms(self, model_output: torch.Tensor, target: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Compute the loss of each sample and its two parts.

        Args:
            model_output: prediction and variance logits (B, 2C, ...).
            target: "noise" ε and "x0", both (B, C, ...), and "timesteps" (B,), int64.

        Returns:
            "mse", "vb" (bits per value) and "loss", their sum, each (B,).

        Raises:
            ValueError: if the target lacks a key, or the shapes do not fit.
        """
        check_target(model_output, target)
        noise, x0, timesteps = (target[key] for key in TARGET_KEYS)
        dtype = torch.promote_types(torch.promote_types(model_output.dtype, x0.dtype), torch.float32)
        noise, x0 = noise.to(dtype), x0.to(dtype)  # (B, C, ...)
        prediction, logits = split_variance(model_output.to(dtype), x0.shape[1])  # (B, C, ...), (B, C, ...)
        if logits is None:
            raise ValueError(
                f"The model output has {model_output.shape[1]} channels, expected {2 * x0.shape[1]}: the hybrid loss "
                "trains variance logits too, so double the network's out_channels."
            )
        signal = lookup(self.chain.alphas_cumprod.sqrt(), timesteps, x0)  # (B, 1, ...)
        sigma = lookup((1 - self.chain.alphas_cumprod).sqrt(), timesteps, x0)  # (B, 1, ...)
        xt = signal * x0 + sigma * noise
        wanted = prediction_target(self.prediction_type, x0, noise, signal, sigma)
        mse = mean_per_sample((wanted - prediction) ** 2)  # (B,)
        predicted_x0 = original_from_prediction(self.prediction_type, prediction.detach(), xt, signal, sigma)
        vb = self._variational_bound(predicted_x0, logits, xt, x0, timesteps)  # (B,)
        return {"mse": mse, "vb": vb, "loss": mse + vb}

    def _variational_bound(
        self,
        predicted_x0: torch.Tensor,
        logits: torch.Tensor,
        xt: torch.Tensor,
        x0: torch.Tensor,
        timesteps: torch.Tensor,
    ) -> torch.Tensor:
        """Compute L_{t-1} of Ho et al., equation 5, in bits per value: a divergence, or at t = 0 the decoder's."""
        x0_weight = lookup(self.chain.posterior_mean_x0, timesteps, x0)  # (B, 1, ...)
        xt_weight = lookup(self.chain.posterior_mean_xt, timesteps, x0)  # (B, 1, ...)
        low = lookup(self.chain.posterior_log_variance, timesteps, x0)  # (B, 1, ...)
        high = lookup(self.chain.betas.log(), timesteps, x0)  # (B, 1, ...)
        log_variance = interpolate_log_variance(logits, low, high)
        mean = x0_weight * predicted_x0 + xt_weight * xt
        divergence = mean_per_sample(normal_kl(x0_weight * x0 + xt_weight * xt, low, mean, log_variance))  # (B,)
        decoder = -mean_per_sample(discretized_gaussian_log_likelihood(x0, mean, 0.5 * log_variance))  # (B,)
        return torch.where(timesteps.to(x0.device) == 0, decoder, divergence) / math.log(2.0)


def check_target(model_output: torch.Tensor, target: Mapping[str, torch.Tensor]) -> None:
    """Check that a target is complete and belongs to the model output.

    Args:
        model_output: (B, C or 2C, ...).
        target: "noise" and "x0", both (B, C, ...), and "timesteps" (B,).

    Raises:
        ValueError: if a key is missing, or the shapes do not fit.
    """
    missing = [key for key in TARGET_KEYS if key not in target]
    if missing:
        raise ValueError(
            f"The target has the keys {sorted(target)}, expected {list(TARGET_KEYS)}; missing are {missing}: take a "
            "prepare_batch that gives them, such as LatentDiffusionPrepareBatch."
        )
    noise, x0, timesteps = (target[key] for key in TARGET_KEYS)
    batch_and_axes = (model_output.shape[0], *model_output.shape[2:])
    if noise.shape != x0.shape or (x0.shape[0], *x0.shape[2:]) != batch_and_axes or timesteps.shape != x0.shape[:1]:
        raise ValueError(
            f"The shapes do not fit: model output {tuple(model_output.shape)}, noise {tuple(noise.shape)}, "
            f"x0 {tuple(x0.shape)}, timesteps {tuple(timesteps.shape)}; expected (B, C or 2C, ...), (B, C, ...) twice, "
            "(B,)."
        )
