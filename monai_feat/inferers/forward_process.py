# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How a scheduler mixes clips and noise: one of ours, of MONAI's or of another library's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, singledispatch
from typing import Any

import torch
from monai.networks.schedulers.rectified_flow import RFlowScheduler
from torch import Tensor

from monai_feat.networks.schedulers import RespacedScheduler
from monai_feat.networks.schedulers.diffusion_tables import PREDICTION_TYPES, lookup, prediction_target

FLOW_VELOCITY = "flow_velocity"
"""What a network of rectified flow predicts, x_0 - ε; others are MONAI's: "epsilon", "sample", "v_prediction"."""

Levels = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Maps timesteps (B,) and noisy clips (B, ...) to signal and sigma, both (B, 1, ...)."""


@dataclass(frozen=True)
class ForwardProcess:
    """The process x_t = signal · x_0 + sigma · ε that a network has learned to reverse.

    Attributes:
        levels: gives signal and sigma at timesteps.
        prediction_type: what the network predicts: "epsilon", "sample", "v_prediction" or "flow_velocity".
    """

    levels: Levels
    prediction_type: str

    def exact_prediction(self, original: Tensor, x: Tensor, timesteps: Tensor) -> Tensor:
        """Say what a network that knows x_0 predicts at x_t.

        Args:
            original: x_0 (B, C, T, H, W).
            x: x_t (B, C, T, H, W).
            timesteps: t (B,).

        Returns:
            what the network is trained to predict (B, C, T, H, W).
        """
        signal, sigma = self.levels(timesteps, x)
        noise = (x - signal * original) / sigma
        if self.prediction_type == FLOW_VELOCITY:
            return original - noise
        return prediction_target(self.prediction_type, original, noise, signal, sigma)


@singledispatch
def forward_process(scheduler: object) -> ForwardProcess:
    """Read from a scheduler how it mixes clips and noise; ``forward_process.register`` adds another kind.

    Args:
        scheduler: one of ours, MONAI's or diffusers'; others need ``alphas_cumprod`` (N,) and a ``prediction_type``, or
            of rectified flow, ``num_train_timesteps`` alone. They may be attributes or stand in ``config``.

    Raises:
        TypeError: if the scheduler does not say it.
    """
    kind, table = prediction_type_of(scheduler), getattr(scheduler, "alphas_cumprod", None)
    if kind == FLOW_VELOCITY:
        return ForwardProcess(partial(_flow_levels, setting(scheduler, "num_train_timesteps")), kind)
    if kind in PREDICTION_TYPES and table is not None:
        return ForwardProcess(partial(_diffusion_levels, torch.as_tensor(table).double()), kind)
    raise TypeError(
        f"The scheduler is a {type(scheduler).__name__} with prediction_type {kind!r} and "
        f"{'no' if table is None else 'a table'} alphas_cumprod, expected alphas_cumprod and one of "
        f"{', '.join(PREDICTION_TYPES)}: choose a scheduler that has them."
    )


@forward_process.register
def _(scheduler: RespacedScheduler) -> ForwardProcess:
    return ForwardProcess(lambda t, like: scheduler.signal_and_sigma(t.long(), like), scheduler.prediction_type)


@forward_process.register
def _(scheduler: RFlowScheduler) -> ForwardProcess:
    return ForwardProcess(partial(_flow_levels, scheduler.num_train_timesteps), FLOW_VELOCITY)


def prediction_type_of(scheduler: object) -> str | None:
    """Return what a foreign scheduler takes the network's output for; None if it does not say."""
    kind: str | None = setting(scheduler, "prediction_type")
    unnamed_flow = kind is None and not hasattr(scheduler, "alphas_cumprod")
    return FLOW_VELOCITY if kind == "flow_prediction" or unnamed_flow else kind


def setting(scheduler: object, name: str) -> Any:
    """Return a setting that stands in the ``config`` of a scheduler, as diffusers has it, or is an attribute."""
    config = getattr(scheduler, "config", None)
    if isinstance(config, Mapping) and name in config:
        return config[name]
    return getattr(scheduler, name, None)


def _flow_levels(num_train_timesteps: int, timesteps: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Give 1 - t / N and t / N."""
    sigma = (timesteps / num_train_timesteps).reshape(-1, *[1] * (like.ndim - 1))
    return 1 - sigma, sigma


def _diffusion_levels(alphas_cumprod: Tensor, timesteps: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Look up √ᾱ_t and √(1 - ᾱ_t), between two timesteps by the line of √(1/ᾱ - 1), as diffusers' solvers do."""
    ratio = (1 / alphas_cumprod - 1).sqrt()
    below = timesteps.double().floor().clamp(0, len(ratio) - 1)
    above = (below + 1).clamp(max=len(ratio) - 1)
    low, high = (lookup(ratio, place.long(), like) for place in (below, above))
    weight = (timesteps - below).to(like).reshape(low.shape)
    signal = torch.lerp(low, high, weight).square().add(1).rsqrt()
    return signal, (1 - signal.square()).sqrt()
