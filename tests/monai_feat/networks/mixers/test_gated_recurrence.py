# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from monai_feat.networks.mixers import GatedRecurrence, Slot
from tests.monai_feat.networks.mixers.twins import assert_twins, randomised

C = 3


def run(forgetting: Tensor, a_keys: Tensor, i_keys: Tensor, v: Tensor) -> Tensor:
    """Frame by frame, as the equations stand in the paper."""
    decay = torch.sigmoid(-forgetting)  # the paper's a = σ(Λ) with the opposite sign of Λ
    h, outputs = torch.zeros_like(v[:, 0]), []
    for t in range(v.shape[1]):
        a = decay ** (8 * torch.sigmoid(a_keys[:, t]))
        share = torch.sqrt(1 - a**2) if t else torch.ones_like(a)
        h = a * h + share * torch.sigmoid(i_keys[:, t]) * v[:, t]
        outputs.append(h)
    return torch.stack(outputs, dim=1)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("length", [1, 6])
def test_equals_the_loop(causal: bool, length: int) -> None:
    block = randomised(GatedRecurrence(Slot("time", C), causal=causal))

    def slow(*inputs: Tensor) -> Tensor:
        outputs = run(block.forgetting[0], *inputs)
        backwards = [] if causal else [run(block.forgetting[1], *(x.flip(1) for x in inputs)).flip(1)]
        return sum(backwards, outputs)

    inputs = [torch.randn(2, length, C, dtype=torch.float64) for _ in range(3)]
    parameters = [block.forgetting] if length > 1 else []  # one frame forgets nothing
    assert_twins(block.mix, slow, inputs, parameters)


def test_memory_that_is_lost_at_once_leaves_the_frame() -> None:
    gates, values = torch.ones(2, 5, C), torch.randn(2, 5, C)
    torch.testing.assert_close(GatedRecurrence.remember(gates, values, torch.full((C,), 1e3))[0], values)


def test_a_clip_in_two_parts_gives_the_bits_of_one() -> None:
    gates, values, rate = torch.rand(2, 9, C), torch.randn(2, 9, C), torch.rand(C)
    whole, end = GatedRecurrence.remember(gates, values, rate)
    first, state = GatedRecurrence.remember(gates[:, :4], values[:, :4], rate)
    second, last = GatedRecurrence.remember(gates[:, 4:], values[:, 4:], rate, state)
    assert torch.equal(torch.cat((first, second), dim=1), whole)
    assert torch.equal(last, end)


def test_causal_means_that_nothing_comes_from_later() -> None:
    block = randomised(GatedRecurrence(Slot("time", C), causal=True))
    inputs = [torch.randn(1, 6, C, dtype=torch.float64) for _ in range(3)]
    changed = [x.clone() for x in inputs]
    for x in changed:
        x[:, 4:] += 1
    assert torch.equal(block.mix(*inputs)[:, :4], block.mix(*changed)[:, :4])


def test_new_ones_forget_as_published() -> None:
    decays = torch.exp(-F.softplus(GatedRecurrence(Slot("time", 4000)).forgetting))
    assert 0.7 <= decays.min() < 0.71
    assert 0.99 < decays.max() <= 0.9991
    torch.testing.assert_close(decays.square().mean().item(), (0.7**2 + 0.999**2) / 2, rtol=0.01, atol=0)


def test_a_memory_that_never_fades_has_finite_slopes() -> None:
    gates, values = torch.zeros(1, 4, C, requires_grad=True), torch.randn(1, 4, C)
    GatedRecurrence.remember(gates, values, torch.ones(C))[0].sum().backward()
    assert gates.grad.isfinite().all()
