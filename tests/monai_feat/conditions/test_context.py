# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.inferers import DiffusionInferer
from monai.networks.schedulers import DDPMScheduler
from torch import Tensor

from monai_feat.conditions import NONE, map_context


def test_each_tensor_is_changed_and_nothing_stays_nothing() -> None:
    numbers = torch.arange(3)
    assert map_context(torch.neg, None) is None
    assert torch.equal(map_context(torch.neg, numbers), -numbers)
    changed = map_context(torch.neg, {"view": numbers, "depth": numbers + 1})
    assert {name: values.tolist() for name, values in changed.items()} == {"view": [0, -1, -2], "depth": [-1, -2, -3]}


def test_what_cannot_be_changed_is_an_error() -> None:
    with pytest.raises(IndexError):
        map_context(lambda values: values[5], {"view": torch.arange(3)})


def test_none_is_that_of_monai() -> None:
    seen: list[Tensor] = []

    def network(x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        seen.append(context)
        return x

    scheduler = DDPMScheduler(num_train_timesteps=1)
    asked = torch.full((1, 1, 1), 7.0)
    DiffusionInferer(scheduler).sample(
        torch.zeros(1, 1, 4, 4), network, scheduler, conditioning=asked, cfg=2.0, verbose=False
    )
    assert set(seen[0].flatten().tolist()) == {NONE, 7.0}
