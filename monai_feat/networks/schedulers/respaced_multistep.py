# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sampling in few steps by a second-order multistep solver on a respaced chain."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from monai_feat.networks.schedulers.diffusion_tables import log_snr_timesteps, split_variance
from monai_feat.networks.schedulers.respaced import RespacedScheduler


class _Step(NamedTuple):
    """What a step leaves to the next one."""

    result: torch.Tensor  # x_{t-1}, (B, C, ...)
    original: torch.Tensor  # x_0 as predicted from x_t, (B, C, ...)
    log_snr: float  # λ_t


class RespacedMultistepScheduler(RespacedScheduler):
    """Deterministic second-order multistep solver for networks with or without variance logits.

    Source: Lu et al., DPM-Solver++ (https://arxiv.org/abs/2211.01095), algorithm 2, "2M". It solves the same equation
    as `RespacedDDIMScheduler`, which is its first order, and evaluates the network as often, but also uses what the
    step before has predicted. The first step has no such, and the last one ends without noise, where the logarithm of
    the signal-to-noise ratio is infinite: both are of first order.

    Steps are even in the logarithm of the signal-to-noise ratio, in which the solver extrapolates, and do not include
    the cleanest timestep: of few steps, one there would be wasted.

    The prediction is kept for the very tensor that `step` returned and for no other: a step from any other sample, be
    it of another clip or a changed copy, is of first order. So nothing leaks from one batch to the next, even where two
    are sampled by turns.

    Args:
        num_train_timesteps: number of steps N of the training chain.
        schedule: name in MONAI's `NoiseSchedules`.
        prediction_type: what the network predicts: "epsilon", "sample" or "v_prediction".
        clip_sample: clip predicted x_0 to the range below; off by default because latents have no range.
        clip_sample_min: lower end of the range.
        clip_sample_max: upper end of the range.
        schedule_args: arguments of the schedule, such as beta_start and beta_end.

    Raises:
        ValueError: if the schedule or the prediction type is unknown.
    """

    def set_timesteps(self, num_inference_steps: int, device: str | torch.device | None = None) -> None:
        """Choose the steps of the chain to sample with, recompute its coefficients, and forget the last step.

        Args:
            num_inference_steps: number of steps n, 1 to N.
            device: where to put `timesteps`.

        Raises:
            ValueError: if n is not in 1 … N.
        """
        super().set_timesteps(num_inference_steps, device)
        self._last: _Step | None = None

    def spaced_timesteps(self, num_inference_steps: int) -> list[int]:
        """Choose n training timesteps to sample with, ascending, evenly in λ; see `log_snr_timesteps`.

        Args:
            num_inference_steps: number of steps n, 1 to N.

        Raises:
            ValueError: if n is not in 1 … N.
        """
        return log_snr_timesteps(self.alphas_cumprod.cpu(), num_inference_steps)

    def step(
        self,
        model_output: torch.Tensor,
        timestep: int | torch.Tensor,
        sample: torch.Tensor,
        generator: torch.Generator | None = None,
        noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Move the sample to the previous step of the chain, as `RespacedScheduler.step` says.

        The sample is the very tensor that the step before returned. Variance logits and randomness are not used.
        """
        # 1. Predict x_0
        index = self.chain_index(timestep)
        prediction, _ = split_variance(model_output.to(sample.dtype), sample.shape[1])
        original = self.predict_original(prediction, index, sample)

        # 2. The end, without noise, is the prediction
        if index == 0:
            self._last = None
            return original, original

        # 3. x_0 in the middle of the step, extrapolated in λ, Lu et al., algorithm 2; else of first order
        (signal, sigma), (next_signal, next_sigma) = self._chain_levels(index), self._chain_levels(index - 1)
        log_snr, next_log_snr = math.log(signal / sigma), math.log(next_signal / next_sigma)
        middle = original
        if self._last is not None and self._last.result is sample:
            weight = (next_log_snr - log_snr) / (2 * (log_snr - self._last.log_snr))  # 1 / (2 r)
            middle = original + weight * (original - self._last.original)

        # 4. Solve exactly for the noise, and x_0 constant over the step, Lu et al., equation 9
        result = next_sigma / sigma * sample - next_signal * math.expm1(log_snr - next_log_snr) * middle
        self._last = _Step(result, original, log_snr)
        return result, original
