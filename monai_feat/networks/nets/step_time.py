# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How long a step of a network takes on this machine, from a few steps of networks with one and two of its layers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

__all__ = ["StepTime", "estimate_step_time", "measure_step_time"]


class StepTime(NamedTuple):
    """Seconds of the processor, summed over its threads.

    Attributes:
        training: of a step of training, the optimiser's included.
        sampling: of a forward pass.
    """

    training: float
    sampling: float


def estimate_step_time(
    network: Callable[[int], nn.Module], num_layers: int, shape: tuple[int, int, int, int, int], repeats: int = 3
) -> StepTime:
    """Estimate what a step takes, without running the whole network.

    What layers cost is the difference between a network of two and one of one; all else is what the latter takes
    besides. A batch takes as many times as long as one clip.

    Args:
        network: makes a network of so many layers, of noisy clips and timesteps.
        num_layers: of the network that is asked about.
        shape: of its clips, ``(B, C, T, H, W)``.
        repeats: steps that are timed, of which the median counts.

    Returns:
        The seconds; other work on the machine hardly moves them, other machines do.
    """
    one, two = (measure_step_time(network(layers), (1, *shape[1:]), repeats) for layers in (1, 2))
    return StepTime(*(shape[0] * (o + (num_layers - 1) * max(0.0, t - o)) for o, t in zip(one, two, strict=True)))


def measure_step_time(network: nn.Module, shape: tuple[int, ...], repeats: int) -> StepTime:
    """Measure what a step of a network takes on this machine: the median of some.

    Args:
        network: of noisy clips and timesteps; its weights move.
        shape: of the clips, ``(B, C, T, H, W)``.
        repeats: steps that are timed.
    """
    x, timesteps = torch.randn(shape), torch.zeros(shape[0])
    optimiser = torch.optim.AdamW(network.parameters())

    def train() -> None:
        optimiser.zero_grad()
        network(x, timesteps).square().mean().backward()
        optimiser.step()

    def sample() -> None:
        with torch.no_grad():
            network(x, timesteps)

    return StepTime(*(_seconds(step, repeats) for step in (train, sample)))


def _seconds(step: Callable[[], None], repeats: int) -> float:
    step()  # the first makes what the others find
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        step()
        taken.append(time.process_time() - started)
    return statistics.median(taken)
