# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the sampler asks of a scheduler, and how ours and MONAI's rectified flow answer.

B clips in a batch; C channels, T frames, H and W rows and columns of the latents.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from monai.networks.schedulers.rectified_flow import RFlowScheduler

from monai_feat.inferers.noise import ClipNoise
from monai_feat.networks.schedulers import RespacedScheduler
from monai_feat.networks.schedulers.diffusion_tables import split_variance


class Stepper(ABC):
    """A chain of steps from noise to clips.

    Args:
        timesteps: of the steps, (n,).
        source: noise of each clip of the batch.
    """

    def __init__(self, timesteps: torch.Tensor, source: ClipNoise) -> None:
        self.timesteps = timesteps
        self._source = source

    def start(self, device: str | torch.device) -> torch.Tensor:
        """Draw the sample that the chain starts from, (B, C, T, H, W)."""
        return self._source.draw(device=device)

    def network_input(self, sample: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """Give what the network sees of the sample at a timestep, (B, C, T, H, W)."""
        return sample

    @abstractmethod
    def step(self, model_output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        """Move the sample to the next timestep.

        Args:
            model_output: output of the network (B, C, T, H, W), or (B, 2C, T, H, W) with variance logits.
            timestep: one of `timesteps`, scalar; they come in their order.
            sample: sample at that timestep (B, C, T, H, W).

        Returns:
            the sample at the next timestep, at the end the clips (B, C, T, H, W).
        """


class RespacedStepper(Stepper):
    """Steps of a `RespacedScheduler`, whose noise is each clip's own.

    Args:
        scheduler: scheduler whose timesteps are set.
        source: noise of each clip of the batch.
    """

    def __init__(self, scheduler: RespacedScheduler, source: ClipNoise) -> None:
        super().__init__(scheduler.timesteps, source)
        self._scheduler = scheduler

    def step(self, model_output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        """Move the sample to the previous step of the chain."""
        noise = self._source.draw(device=sample.device)
        return self._scheduler.step(model_output, timestep, sample, noise=noise)[0]


class RectifiedFlowStepper(Stepper):
    """Steps of MONAI's `RFlowScheduler`: straight lines, no noise.

    Source: Liu et al., rectified flow (https://arxiv.org/abs/2209.03003), Euler steps.

    `RFlowScheduler.step` does the same for whole timesteps, but cuts off the fraction of the next one.

    Args:
        scheduler: scheduler whose timesteps are set.
        source: noise of each clip of the batch.
    """

    def __init__(self, scheduler: RFlowScheduler, source: ClipNoise) -> None:
        # Rounding can make two timesteps equal; a step between them would have no length.
        descending = sorted(set(scheduler.timesteps.tolist()), reverse=True)
        super().__init__(torch.tensor(descending, dtype=torch.float32), source)
        self._next = dict(pairwise([*self.timesteps.tolist(), 0.0]))
        self._num_train_timesteps = scheduler.num_train_timesteps

    def step(self, model_output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        """Move the sample along the predicted velocity x_0 - ε to the next timestep, at the end to zero."""
        stride = (float(timestep) - self._next[float(timestep)]) / self._num_train_timesteps
        velocity, _ = split_variance(model_output.to(sample.dtype), sample.shape[1])
        moved: torch.Tensor = sample + velocity * stride
        return moved


class FlowMultistepStepper(RectifiedFlowStepper):
    """Adams-Bashforth steps of second order along the flow: v + h / 2h₋₁ · (v − v₋₁) in place of the velocity v.

    Args:
        scheduler: scheduler whose timesteps are set.
        source: noise of each clip of the batch.
    """

    def __init__(self, scheduler: RFlowScheduler, source: ClipNoise) -> None:
        super().__init__(scheduler, source)
        self._last: tuple[float, torch.Tensor] | None = None  # length and velocity of the last step

    def step(self, model_output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        """Move the sample along the velocity, extrapolated from the last step, to the next timestep."""
        velocity, _ = split_variance(model_output.to(sample.dtype), sample.shape[1])
        stride = float(timestep) - self._next[float(timestep)]
        middle = velocity
        if self._last is not None:
            last_stride, last_velocity = self._last
            middle = velocity + stride / (2 * last_stride) * (velocity - last_velocity)
        self._last = stride, velocity
        return super().step(middle, timestep, sample)
