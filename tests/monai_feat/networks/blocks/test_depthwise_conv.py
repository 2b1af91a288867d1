# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from monai_feat.networks.blocks import FrameDepthwiseConv, TemporalDepthwiseConv


def as_volume(x: Tensor) -> Tensor:
    return x.permute(0, 4, 1, 2, 3)


def test_frame_convolution_is_a_grouped_3d_one_of_depth_1() -> None:
    block, x = FrameDepthwiseConv(6).double(), torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    expected = F.conv3d(as_volume(x), block.conv.weight[:, :, None], padding=(0, 1, 1), groups=6)
    torch.testing.assert_close(as_volume(block(x)), expected)


def test_temporal_convolution_is_a_grouped_3d_one_of_1_by_1() -> None:
    block, x = TemporalDepthwiseConv(6).double(), torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    expected = F.conv3d(as_volume(x), block.conv.weight[..., None], padding=(1, 0, 0), groups=6)
    torch.testing.assert_close(as_volume(block(x)), expected)


def test_frames_do_not_mix() -> None:
    block, x = FrameDepthwiseConv(6), torch.randn(2, 3, 4, 5, 6)
    torch.testing.assert_close(block(x)[:, 1:2], block(x[:, 1:2]))


def test_positions_do_not_mix_over_time() -> None:
    block, x = TemporalDepthwiseConv(6), torch.randn(2, 3, 4, 5, 6)
    torch.testing.assert_close(block(x)[:, :, 2:3, 3:4], block(x[:, :, 2:3, 3:4]))


@pytest.mark.parametrize("block", [FrameDepthwiseConv(6), TemporalDepthwiseConv(6)])
def test_other_channels_are_an_error(block: torch.nn.Module) -> None:
    with pytest.raises(RuntimeError, match="channels"):
        block(torch.randn(1, 2, 3, 4, 5))
