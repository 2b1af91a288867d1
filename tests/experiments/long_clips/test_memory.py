# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys

import pytest
import torch
from torch import Tensor, nn

from experiments.long_clips.memory import step_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much memory a process had")


class Wide(nn.Module):
    """Takes 64 times the memory of its input."""

    def forward(self, x: Tensor, timesteps: Tensor, context: None) -> Tensor:
        return x.repeat(1, 64, 1, 1, 1).square().mean(1, keepdim=True)


class Broken(nn.Module):
    def forward(self, x: Tensor, timesteps: Tensor, context: None) -> Tensor:
        raise ValueError("no clip of mine")


def test_memory_is_that_of_the_step_and_windows_bound_it() -> None:
    shape = (1, 64, 128, 128)  # 4 MiB
    whole, windows = step_memory(Wide(), None, shape), step_memory(Wide(), 4, shape)
    assert 500 < whole < 560  # twice 256 MiB: what is repeated, and its square
    assert windows < whole / 4


def test_what_was_taken_before_does_not_count() -> None:
    torch.ones(2**27).sum()  # 512 MiB
    assert step_memory(Wide(), 4, (1, 8, 32, 32)) < 16


def test_errors_come_through() -> None:
    with pytest.raises(ValueError, match="no clip of mine"):
        step_memory(Broken(), None, (1, 2, 4, 4))
