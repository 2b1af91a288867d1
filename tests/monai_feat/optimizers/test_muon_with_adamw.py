# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.optimizers import MuonWithAdamW

pytestmark = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 6)
        self.output = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.inner(x).relu())


def train(network: nn.Module, optimizers: list[torch.optim.Optimizer], steps: int = 3) -> None:
    x = torch.linspace(-1, 1, 20).reshape(5, 4)
    for _ in range(steps):
        network.zero_grad()
        (network(x) - 1).square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()


def test_equals_torch_s_two_side_by_side() -> None:
    ours = Small()
    theirs = copy.deepcopy(ours)
    train(ours, [MuonWithAdamW(ours, lr=0.01, weight_decay=0.1)])
    options = dict(lr=0.01, weight_decay=0.1)
    muon = torch.optim.Muon([theirs.inner.weight], momentum=0.95, adjust_lr_fn="match_rms_adamw", **options)
    train(theirs, [muon, torch.optim.AdamW([theirs.inner.bias, *theirs.output.parameters()], **options)])
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


def test_goes_on_from_a_checkpoint_to_the_bit() -> None:
    through, stopped = Small(), Small()
    stopped.load_state_dict(through.state_dict())
    optimizer = MuonWithAdamW(through)
    train(through, [optimizer], steps=4)
    first = MuonWithAdamW(stopped)
    train(stopped, [first], steps=2)
    again = MuonWithAdamW(stopped)
    again.load_state_dict(first.state_dict())
    train(stopped, [again], steps=2)
    torch.testing.assert_close(through.state_dict(), stopped.state_dict(), rtol=0, atol=0)


def test_a_schedule_moves_both_rates() -> None:
    network = Small()
    optimizer = MuonWithAdamW(network, lr=1.0)
    schedule = LambdaLR(optimizer, lambda step: 0.5**step)
    before = copy.deepcopy(network.state_dict())
    optimizer.step()  # without gradients nothing moves
    schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.5]
    assert [part.param_groups[0]["lr"] for part in optimizer._parts] == [0.5, 0.5]
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_every_parameter_of_feat_is_in_one_group() -> None:
    network = FEAT(**FEAT_PRESETS["pico"])
    muon, adamw = ([id(p) for p in group["params"]] for group in MuonWithAdamW(network).param_groups)
    assert sorted(muon + adamw) == sorted(map(id, network.parameters()))
    assert id(network.layers[0].temporal.mixing.output.weight) in muon
    assert id(network.output.weight) in adamw


def test_a_network_without_inner_maps_is_an_error() -> None:
    with pytest.raises(ValueError, match="Conv2d has no linear map for Muon"):
        MuonWithAdamW(nn.Conv2d(1, 1, 3))
