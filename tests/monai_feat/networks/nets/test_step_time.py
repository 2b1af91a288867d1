# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.nets.step_time import StepTime, estimate_step_time


class Clock:
    """A processor clock that a network moves."""

    now = 0.0

    def process_time(self) -> float:
        return self.now


class Costly(nn.Module):
    """A network that takes 2 seconds, 3 for each layer, and as much again with gradients."""

    def __init__(self, clock: Clock, layers: int) -> None:
        super().__init__()
        self.clock, self.layers, self.weight = clock, layers, nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        self.clock.now += (2 + 3 * self.layers) * len(x) * (2 if torch.is_grad_enabled() else 1)
        return x * self.weight + timesteps.sum()


def test_layers_and_clips_are_extrapolated(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("monai_feat.networks.nets.step_time.time", clock)
    found = estimate_step_time(lambda layers: Costly(clock, layers), num_layers=9, shape=(4, 1, 1, 2, 2))
    assert found == StepTime(training=2 * 4 * (2 + 27), sampling=4 * (2 + 27))


def test_a_network_of_ours_is_never_run_whole() -> None:
    made: list[int] = []

    def network(layers: int) -> FEAT:
        made.append(layers)
        return FEAT(**{**FEAT_PRESETS["pico"], "num_layers": layers})

    found = estimate_step_time(network, num_layers=9, shape=(1, 4, 2, 4, 4), repeats=1)
    assert made == [1, 2]
    assert found.training > 0
    assert found.sampling > 0
