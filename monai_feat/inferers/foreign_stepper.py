# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Any scheduler with the methods of MONAI's or diffusers', as the sampler wants it."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from monai.networks.schedulers.ddim import DDIMScheduler
from monai.networks.schedulers.ddpm import DDPMScheduler

from monai_feat.inferers.forward_process import FLOW_VELOCITY, prediction_type_of, setting
from monai_feat.inferers.noise import ClipNoise
from monai_feat.inferers.stepper import Stepper
from monai_feat.networks.schedulers.diffusion_tables import split_variance

_EXPECTED = (
    "expected set_timesteps(num_inference_steps), timesteps and step(model_output, timestep, sample), as MONAI's and "
    "diffusers' schedulers have them"
)


class ForeignStepper(Stepper):
    """Steps of a scheduler that has ``set_timesteps(n)``, ``timesteps`` and ``step(model_output, timestep, sample)``.

    Every clip has a copy of the scheduler, and randomness of its own: what a solver remembers of the steps before, or
    draws, does not depend on the other clips of the batch. Noise is handed to a ``step`` that takes ``noise`` or
    ``variance_noise``; else one that takes a ``generator`` is given one of the clip. The sample is scaled as diffusers'
    solvers want it (``init_noise_sigma``, ``scale_model_input``). Variance logits reach only a scheduler with a learned
    variance. Of rectified flow, the network predicts x_0 - ε, as with MONAI; a scheduler that steps along ε - x_0, as
    diffusers' do, is given the opposite.

    Args:
        scheduler: the scheduler; its timesteps are set.
        num_inference_steps: number of steps.
        source: noise of each clip of the batch.

    Raises:
        TypeError: if the scheduler lacks one of these methods, or ``step`` needs more.
        ValueError: if it is MONAI's `DDPMScheduler` and would skip steps.
    """

    def __init__(self, scheduler: Any, num_inference_steps: int, source: ClipNoise) -> None:
        _check(scheduler)
        scheduler.set_timesteps(num_inference_steps)
        _check_chain(scheduler)
        self._schedulers = [deepcopy(scheduler) for _ in range(source.num_clips)]
        self._keeps_logits = str(setting(scheduler, "variance_type")).startswith("learned")
        self._sign = _velocity_sign(scheduler)
        super().__init__(torch.stack([torch.as_tensor(timestep) for timestep in scheduler.timesteps]), source)

    def start(self, device: str | torch.device) -> torch.Tensor:
        """Draw the sample that the chain starts from, with the standard deviation that the scheduler wants."""
        noise = super().start(device)
        self._generators = self._source.generators(device)
        return noise * float(getattr(self._schedulers[0], "init_noise_sigma", 1.0))

    def network_input(self, sample: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """Give what the network sees of the sample, scaled where the scheduler does so."""
        if not hasattr(self._schedulers[0], "scale_model_input"):
            return sample
        clips = zip(self._schedulers, sample.split(1), strict=True)
        return torch.cat([scheduler.scale_model_input(clip, timestep) for scheduler, clip in clips])

    def step(self, model_output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
        """Move each clip by its own scheduler, with its own randomness."""
        output, _ = split_variance(model_output.to(sample.dtype), sample.shape[1])
        output = model_output.to(sample.dtype) if self._keeps_logits else self._sign * output
        each = zip(
            self._schedulers,
            output.split(1),
            sample.split(1),
            self._source.draw(device=sample.device).split(1),
            self._generators,
            strict=True,
        )
        return torch.cat([_step_one(timestep, *clip) for clip in each])


def _check(scheduler: Any) -> None:
    name = type(scheduler).__name__
    lacking = [method for method in ("set_timesteps", "step") if not callable(getattr(scheduler, method, None))]
    if lacking:
        raise TypeError(f"The scheduler is of type {name}, without {' and '.join(lacking)}, {_EXPECTED}.")
    step = inspect.signature(scheduler.step)
    try:
        step.bind(None, None, None, **_randomness(scheduler, None, None))
    except TypeError as error:
        raise TypeError(
            f"The scheduler is of type {name} with step({', '.join(step.parameters)}), {_EXPECTED}: wrap it in an "
            "object whose step adds the rest."
        ) from error


def _check_chain(scheduler: Any) -> None:
    name = type(scheduler).__name__
    if not len(getattr(scheduler, "timesteps", ())):
        raise TypeError(f"The scheduler is of type {name}, without timesteps after set_timesteps, {_EXPECTED}.")
    _CHECKS_OF_MONAI.get(getattr(type(scheduler), "step", None), lambda scheduler: None)(scheduler)
    if setting(scheduler, "clip_sample"):
        warnings.warn(
            f"The {name} clips what it predicts to a range, which latents exceed: make it with clip_sample=False, "
            "unless the network works on pixels.",
            stacklevel=2,
        )


def _check_ddpm(scheduler: DDPMScheduler) -> None:
    if len(scheduler.timesteps) < scheduler.num_train_timesteps:
        raise ValueError(
            f"MONAI's DDPMScheduler was set to {len(scheduler.timesteps)} of its {scheduler.num_train_timesteps} "
            "steps, expected all: where steps are skipped, its variances are those of single steps. Take monai_feat's "
            "RespacedDDPMScheduler, whose arguments are the same."
        )


def _check_ddim(scheduler: DDIMScheduler) -> None:
    stride = scheduler.num_train_timesteps // len(scheduler.timesteps)
    if (scheduler.timesteps[:-1] - scheduler.timesteps[1:] != stride).any():
        warnings.warn(
            f"MONAI's DDIMScheduler steps by {stride} timesteps, but these lie up to "
            f"{int((scheduler.timesteps[:-1] - scheduler.timesteps[1:]).max())} apart, so that the network is told "
            f"another noise level than the sample has: make it with steps_offset={stride - 1}, or take monai_feat's "
            "RespacedDDIMScheduler.",
            stacklevel=2,
        )


_CHECKS_OF_MONAI: dict[Any, Callable[[Any], None]] = {
    DDPMScheduler.step: _check_ddpm,
    DDIMScheduler.step: _check_ddim,
}


def _velocity_sign(scheduler: Any) -> int:
    """Return -1 for a scheduler that steps along ε - x_0: its first step, tried on copies, goes against it."""
    if prediction_type_of(scheduler) != FLOW_VELOCITY:
        return 1
    still, moved = (_first_step(deepcopy(scheduler), velocity) for velocity in (0.0, 1.0))
    return 1 if moved > still else -1


def _first_step(scheduler: Any, velocity: float) -> float:
    zero = torch.zeros(1, 1, 1, 1, 1)
    generator = torch.Generator().manual_seed(0)
    return _step_one(scheduler.timesteps[0], scheduler, zero + velocity, zero, zero, generator).item()


def _step_one(
    timestep: torch.Tensor,
    scheduler: Any,
    output: torch.Tensor,
    sample: torch.Tensor,
    noise: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Step one clip, with the randomness that the scheduler's step takes."""
    return _previous_sample(scheduler.step(output, timestep, sample, **_randomness(scheduler, noise, generator)))


def _randomness(scheduler: Any, noise: torch.Tensor | None, generator: torch.Generator | None) -> dict[str, Any]:
    """Return the one argument in which the scheduler's step takes its randomness, if any."""
    sources = {"noise": noise, "variance_noise": noise, "generator": generator}
    takes = inspect.signature(scheduler.step).parameters
    return next(({name: value} for name, value in sources.items() if name in takes), {})


def _previous_sample(result: Any) -> torch.Tensor:
    """Return the sample of what a step returned: diffusers' output, MONAI's pair, or the sample alone."""
    sample = getattr(result, "prev_sample", result[0] if isinstance(result, tuple) else result)
    if not isinstance(sample, torch.Tensor):
        raise TypeError(
            f"The scheduler's step returned a {type(result).__name__}, expected a tensor, a tuple that starts with "
            "one, or an object with prev_sample."
        )
    return sample
