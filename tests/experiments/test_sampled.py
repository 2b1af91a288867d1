# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn

from experiments.sampled import BATCH_SIZE, sample


class Shade(nn.Module):
    """What a clip of an index looks like, in evaluation mode."""

    def forward(self, indices: Tensor) -> Tensor:
        assert not self.training
        return (indices / 127.5 - 1).reshape(-1, 1, 1, 1, 1).expand(-1, 1, 2, 4, 4)


def test_every_clip_is_sampled_once_in_its_place() -> None:
    sizes: list[int] = []

    def infer(indices: Tensor, denoiser: nn.Module) -> Tensor:
        sizes.append(len(indices))
        shade: Tensor = denoiser(indices)
        return shade

    config = ConfigParser({"denoiser": Shade(), "inferer": infer, "device": torch.device("cpu")})
    sampled = sample(config, BATCH_SIZE + 3)
    assert sizes == [BATCH_SIZE, 3]
    assert sampled.pixels.dtype == torch.uint8
    assert sampled.pixels[:, 0, 0, 0, 0].tolist() == list(range(BATCH_SIZE + 3))


def test_a_config_that_samples_nothing_is_refused() -> None:
    with pytest.raises(KeyError, match="denoiser"):
        sample(ConfigParser({"device": torch.device("cpu")}), 1)
