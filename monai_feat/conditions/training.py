# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From the values of conditions in a batch to the context that a network is trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from monai_feat.conditions.condition import Condition, Draws
from monai_feat.conditions.context import NONE

__all__ = ["drop_conditions", "training_context"]


def training_context(
    conditions: Sequence[Condition], batch: Mapping[str, Tensor], latents: Tensor, draws: Draws
) -> dict[str, Tensor]:
    """Gather what a network is conditioned on from a batch, or from the latents themselves.

    Args:
        conditions: of the network.
        batch: values by name, ``(B, ...)``; masks may hold `monai_feat.transforms.UNKNOWN_LABEL`.
        latents: clean latents ``(B, C, T, H, W)``, on the device of the result.
        draws: where each clip draws from.

    Returns:
        Values by name, ``(B, ...)``.

    Raises:
        ValueError: a value is missing, out of bounds or of another shape.
    """
    context = {}
    for condition in conditions:
        values = condition.training_values(batch, latents, draws)
        condition.check_shape(values, latents.shape)
        condition.check(values)
        context[condition.name] = values.to(latents.device)
    return context


def drop_conditions(context: Mapping[str, Tensor], probability: float, draws: Draws) -> dict[str, Tensor]:
    """Replace values by none at random, so that one network learns to do with and without them.

    Source: Ho and Salimans, "Classifier-free diffusion guidance" (https://arxiv.org/abs/2207.12598), Algorithm 1. Of
    several conditions each is dropped by itself, and besides, as often, all of a clip together.

    Args:
        context: values by name, ``(B, ...)``.
        probability: of dropping, in [0, 1].
        draws: where each clip draws from.

    Returns:
        Values by name, shaped as they were.
    """
    chances = draws.uniform(len(context)).T  # (conditions, B)
    dropped = chances < probability
    if len(context) > 1:
        together = draws.uniform().T
        dropped |= together < probability
    return {
        name: torch.where(_like(drop, values), torch.full_like(values, NONE), values)
        for (name, values), drop in zip(context.items(), dropped, strict=True)
    }


def _like(drop: Tensor, values: Tensor) -> Tensor:
    return drop.to(values.device).reshape(-1, *[1] * (values.ndim - 1))
