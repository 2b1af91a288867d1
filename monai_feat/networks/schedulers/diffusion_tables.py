# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Coefficients of Gaussian diffusion chains as pure functions, in float64.

Letters follow Ho et al. (https://arxiv.org/abs/2006.11239): β_t, ᾱ_t, β̃_t; n is the number of steps of a chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import TypeVar

import torch
from monai.networks.schedulers.ddpm import DDPMPredictionType
from monai.utils.misc import unsqueeze_right

Coefficient = TypeVar("Coefficient", float, torch.Tensor)

PREDICTION_TYPES = tuple(str(member) for member in DDPMPredictionType)


def respaced_timesteps(num_train_timesteps: int, num_inference_steps: int) -> list[int]:
    """Spread inference steps evenly over the training steps, both ends included.

    This is the one-section respacing of Improved DDPM (https://arxiv.org/abs/2102.09672, section 4). A single step
    is taken at the last training step, where the sample is noise.

    Args:
        num_train_timesteps: number of steps N of the training chain.
        num_inference_steps: number of steps n of the chain to sample with, 1 to N.

    Returns:
        n training timesteps in ascending order.

    Raises:
        ValueError: if n is not in 1 … N.

    Example:
        >>> respaced_timesteps(1000, 5)
        [0, 250, 500, 749, 999]
    """
    check_num_steps(num_train_timesteps, num_inference_steps)
    if num_inference_steps == 1:
        return [num_train_timesteps - 1]
    stride = (num_train_timesteps - 1) / (num_inference_steps - 1)
    # A running sum rather than i * stride: they round differently at halves, and published samples used the sum.
    return [round(position) for position in accumulate(repeat(stride, num_inference_steps - 1), initial=0.0)]


def check_num_steps(num_train_timesteps: int, num_inference_steps: int) -> None:
    """Check that a chain has so many steps.

    Raises:
        ValueError: if there are fewer than one, or more than the training chain has.
    """
    if not 1 <= num_inference_steps <= num_train_timesteps:
        raise ValueError(
            f"num_inference_steps is {num_inference_steps}, expected 1 to {num_train_timesteps}: take no more steps "
            "than the training chain has."
        )


def log_snr_timesteps(alphas_cumprod: torch.Tensor, num_inference_steps: int) -> list[int]:
    """Spread inference steps evenly over the logarithm of the signal-to-noise ratio, λ_t = log √(ᾱ_t / (1 - ᾱ_t)).

    Source: Lu et al., DPM-Solver (https://arxiv.org/abs/2206.00927), section 3.4. The steps are the training timesteps
    nearest to n + 1 even values of λ without the cleanest, whose place the end of the chain takes; where two would
    fall on one timestep, the next noisier one is taken instead.

    Args:
        alphas_cumprod: ᾱ (N,) of the training chain.
        num_inference_steps: number of steps n of the chain to sample with, 1 to N.

    Returns:
        n training timesteps in ascending order.

    Raises:
        ValueError: if n is not in 1 … N.

    Example:
        >>> log_snr_timesteps(torch.linspace(0.999, 0.001, 1000), 3)
        [90, 909, 999]
    """
    num_train_timesteps = len(alphas_cumprod)
    check_num_steps(num_train_timesteps, num_inference_steps)
    log_snr = 0.5 * torch.logit(alphas_cumprod.double())  # descending
    wanted = torch.linspace(log_snr[0].item(), log_snr[-1].item(), num_inference_steps + 1, dtype=torch.float64)[1:]
    borders = (log_snr[:-1] + log_snr[1:]) / 2
    nearest = torch.searchsorted(-borders, -wanted)
    # Each exceeds the one before; clamped, they stay within the chain.
    order = torch.arange(num_inference_steps)
    distinct = (nearest - order).cummax(0).values.clamp(max=num_train_timesteps - num_inference_steps) + order
    timesteps: list[int] = distinct.tolist()
    return timesteps


@dataclass(frozen=True)
class GaussianChain:
    """Coefficients of one diffusion chain, each a float64 tensor (n,); index 0 is the least noisy step.

    Attributes:
        alphas_cumprod: ᾱ_i, the signal power left at step i.
        alphas_cumprod_prev: ᾱ_{i-1}, one before the first step.
        betas: β_i = 1 - ᾱ_i / ᾱ_{i-1}.
        posterior_variance: β̃_i, the variance of q(x_{i-1} | x_i, x_0); zero at the first step.
        posterior_log_variance: log β̃_i, at the first step that of the second, which is finite.
        posterior_mean_x0: weight of x_0 in the mean of q(x_{i-1} | x_i, x_0).
        posterior_mean_xt: weight of x_i in it.
    """

    alphas_cumprod: torch.Tensor
    alphas_cumprod_prev: torch.Tensor
    betas: torch.Tensor
    posterior_variance: torch.Tensor
    posterior_log_variance: torch.Tensor
    posterior_mean_x0: torch.Tensor
    posterior_mean_xt: torch.Tensor


def gaussian_chain(alphas_cumprod: torch.Tensor) -> GaussianChain:
    """Compute every coefficient of the chain that passes through the given noise levels.

    Source: Ho et al., equations 6 and 7; Improved DDPM, section 4, for betas recomputed from respaced products.

    Args:
        alphas_cumprod: ᾱ (n,), descending, in (0, 1).

    Returns:
        the chain, in float64.
    """
    alphas_cumprod = alphas_cumprod.double()
    previous = torch.cat([alphas_cumprod.new_ones(1), alphas_cumprod[:-1]])
    alphas = alphas_cumprod / previous
    betas = 1 - alphas
    posterior_variance = betas * (1 - previous) / (1 - alphas_cumprod)  # Ho et al., equation 7
    positive_variance = posterior_variance.clone()
    positive_variance[0] = posterior_variance[1] if len(betas) > 1 else betas[0]
    return GaussianChain(
        alphas_cumprod=alphas_cumprod,
        alphas_cumprod_prev=previous,
        betas=betas,
        posterior_variance=posterior_variance,
        posterior_log_variance=positive_variance.log(),
        posterior_mean_x0=previous.sqrt() * betas / (1 - alphas_cumprod),
        posterior_mean_xt=alphas.sqrt() * (1 - previous) / (1 - alphas_cumprod),
    )


def lookup(table: torch.Tensor, timesteps: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Gather one coefficient per sample, shaped to broadcast over the samples.

    Args:
        table: coefficients (n,).
        timesteps: indices (B,), int64.
        like: samples (B, ...) whose device and number of dimensions the result takes.

    Returns:
        (B, 1, ...) in the dtype of `like`, but no less than float32.
    """
    # The small table goes to the timesteps' device and not the reverse, which would make a GPU wait.
    table = table.to(device=like.device, dtype=torch.promote_types(like.dtype, torch.float32))
    coefficients: torch.Tensor = unsqueeze_right(table[timesteps.to(like.device)], like.ndim)
    return coefficients


def original_from_prediction(
    prediction_type: str, prediction: torch.Tensor, sample: torch.Tensor, signal: Coefficient, sigma: Coefficient
) -> torch.Tensor:
    """Solve for x_0 given what the network predicted at x_t = signal · x_0 + sigma · ε.

    Source: Ho et al., equation 15, for "epsilon"; Salimans and Ho (https://arxiv.org/abs/2202.00512), appendix D, for
    "v_prediction", v = signal · ε - sigma · x_0.

    Args:
        prediction_type: "epsilon", "sample" or "v_prediction".
        prediction: output of the network (B, C, ...).
        sample: x_t (B, C, ...).
        signal: √ᾱ_t.
        sigma: √(1 - ᾱ_t).

    Returns:
        x_0 (B, C, ...).
    """
    if prediction_type == DDPMPredictionType.EPSILON:
        return (sample - sigma * prediction) / signal
    if prediction_type == DDPMPredictionType.V_PREDICTION:
        return signal * sample - sigma * prediction
    return prediction


def prediction_target(
    prediction_type: str, original: torch.Tensor, noise: torch.Tensor, signal: Coefficient, sigma: Coefficient
) -> torch.Tensor:
    """Give what the network is trained to predict; the inverse of `original_from_prediction`.

    Args:
        prediction_type: "epsilon", "sample" or "v_prediction".
        original: x_0 (B, C, ...).
        noise: ε (B, C, ...).
        signal: √ᾱ_t.
        sigma: √(1 - ᾱ_t).

    Returns:
        ε, x_0 or v (B, C, ...).
    """
    if prediction_type == DDPMPredictionType.EPSILON:
        return noise
    if prediction_type == DDPMPredictionType.V_PREDICTION:
        return signal * noise - sigma * original
    return original


def split_variance(model_output: torch.Tensor, num_channels: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Separate a network's prediction from the variance logits that may follow it on the channel axis.

    Args:
        model_output: (B, C, ...) or (B, 2C, ...).
        num_channels: C, the channels of the sample.

    Returns:
        the prediction (B, C, ...), and the variance logits (B, C, ...) or None.

    Raises:
        ValueError: if the output has neither C nor 2C channels.
    """
    given = model_output.shape[1]
    if given == num_channels:
        return model_output, None
    if given == 2 * num_channels:
        prediction, logits = model_output.chunk(2, dim=1)
        return prediction, logits
    raise ValueError(
        f"The model output has {given} channels, expected {num_channels} (the prediction) or {2 * num_channels} (with "
        f"variance logits) for a sample of {num_channels} channels: set the network's out_channels to one of these."
    )


def interpolate_log_variance(logits: torch.Tensor, low: Coefficient, high: Coefficient) -> torch.Tensor:
    """Interpolate between two log variances, -1 giving the low and 1 the high one.

    Source: Improved DDPM, equation 15.

    Args:
        logits: variance logits (B, C, ...), not bounded.
        low: log β̃_t.
        high: log β_t.

    Returns:
        log variance (B, C, ...).
    """
    fraction = (logits + 1) / 2
    return fraction * high + (1 - fraction) * low
