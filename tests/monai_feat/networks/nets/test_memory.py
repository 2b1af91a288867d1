# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.nets.memory import LiveBytes, estimate_memory


class TwoLinear(nn.Module):
    """Hidden activations of 6 numbers for each of a clip's."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(1, 6, bias=False), nn.Linear(6, 1, bias=False)

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        return self.second(self.first(x[..., None]).relu())[..., 0]


def test_bytes_of_a_network_that_can_be_counted_by_hand() -> None:
    memory = estimate_memory(TwoLinear, (2, 1, 5, 4, 4))
    numbers = 2 * 5 * 4 * 4
    assert memory.parameters == 4 * 12
    assert memory.training_state == 4 * memory.parameters
    assert memory.activations == 4 * (6 + 1) * numbers  # the ReLU's output, which also tells its gradient; the output
    assert memory.sampling_peak == memory.parameters + 4 * (6 + 6) * numbers  # before and after the ReLU


def test_what_is_freed_does_not_count_and_views_count_once() -> None:
    x = torch.empty(100, device="meta")
    with LiveBytes([x]) as live:
        for _ in range(3):
            y = x + 1
        assert live.now == 400
        z = y.reshape(10, 10).mT
        assert live.now == 400
        del y, z
        assert live.now == 0
    assert live.peak == 800


def test_activations_are_those_that_autograd_keeps() -> None:
    """Counted by autograd's own hooks on a run with numbers, weights left out."""
    network, shape = FEAT(**FEAT_PRESETS["pico"]), (1, 4, 3, 8, 8)
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    kept: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        storage = x.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        output = network(torch.randn(shape), torch.zeros(1))
    found = estimate_memory(partial(FEAT, **FEAT_PRESETS["pico"]), shape).activations
    assert found == pytest.approx(sum(kept.values()), rel=0.2)
    del output


def test_less_where_layers_are_computed_again() -> None:
    make, shape = partial(FEAT, **FEAT_PRESETS["pico"]), (2, 4, 4, 16, 16)
    plain = estimate_memory(make, shape)
    assert estimate_memory(partial(make, use_checkpoint=True), shape).activations < 0.2 * plain.activations


def test_what_the_network_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of the patch size 2"):
        estimate_memory(partial(FEAT, **FEAT_PRESETS["pico"]), (1, 4, 2, 7, 8))
