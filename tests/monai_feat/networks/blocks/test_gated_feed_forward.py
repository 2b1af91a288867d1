# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from monai_feat.networks.blocks import GatedFeedForward


def test_equals_restormers_convolutions() -> None:
    block, x = GatedFeedForward(6, mlp_ratio=2.5).double(), torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    frames = x.flatten(0, 1).permute(0, 3, 1, 2)
    hidden = F.conv2d(frames, block.project_in.weight[..., None, None])
    hidden = F.conv2d(hidden, block.local.conv.weight, padding=1, groups=30)
    activated = 0.5 * hidden[:, :15] * (1 + torch.erf(hidden[:, :15] / 2**0.5)) * hidden[:, 15:]
    expected = F.conv2d(activated, block.project_out.weight[..., None, None])
    torch.testing.assert_close(block(x).flatten(0, 1).permute(0, 3, 1, 2), expected)


def test_frames_do_not_mix_and_nothing_comes_of_nothing() -> None:
    block, x = GatedFeedForward(6), torch.randn(2, 3, 4, 5, 6)
    torch.testing.assert_close(block(x)[:1, 1:2], block(x[:1, 1:2]))
    assert not block(torch.zeros_like(x)).any()


@pytest.mark.parametrize(("hidden_size", "width"), [(88, 120), (104, 240), (96, 384)])
def test_width_survives_being_written_as_a_ratio(hidden_size: int, width: int) -> None:
    assert GatedFeedForward(hidden_size, mlp_ratio=width / hidden_size).project_out.in_features == width


def test_other_channels_are_an_error() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        GatedFeedForward(6)(torch.zeros(1, 1, 4, 5, 7))
