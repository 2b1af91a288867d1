# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from monai_feat.networks.mixers import ChannelAttention, Slot


def one_frame(block: ChannelAttention, frame: Tensor) -> Tensor:
    """Attend over the channels of one frame (H, W, C), head by head and row by row."""
    height, width, channels = frame.shape
    image = frame.permute(2, 0, 1)[None]
    qkv = F.conv2d(image, block.qkv.weight[..., None, None])
    qkv = F.conv2d(qkv, block.local.conv.weight, padding=1, groups=3 * channels)[0].flatten(1)  # (3C, HW)
    size = channels // block.num_heads
    rows = []
    for head in range(block.num_heads):
        q, k, v = (qkv[part * channels + head * size :][:size] for part in range(3))
        for row in range(size):
            cosines = torch.stack([F.cosine_similarity(q[row], k[column], dim=0) for column in range(size)])
            rows.append(torch.softmax(cosines * block.temperature[head, 0, 0], dim=0) @ v)
    mixed = torch.stack(rows).reshape(1, channels, height, width)
    return F.conv2d(mixed, block.output.weight[..., None, None])[0].permute(1, 2, 0)


def test_equals_a_loop_over_heads() -> None:
    block = ChannelAttention(Slot("channels", 6, num_heads=2)).double()
    torch.nn.init.uniform_(block.temperature, 0.5, 3.0)
    x = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    expected = torch.stack([torch.stack([one_frame(block, frame) for frame in clip]) for clip in x])
    torch.testing.assert_close(block(x), expected)


def test_frames_do_not_mix() -> None:
    block, x = ChannelAttention(Slot("channels", 6, num_heads=3)), torch.randn(2, 3, 4, 5, 6)
    torch.testing.assert_close(block(x)[1:, 2:], block(x[1:, 2:]))


def test_weights_do_not_depend_on_the_size_of_the_tokens() -> None:
    block, x = (
        ChannelAttention(Slot("channels", 6, num_heads=3)).double(),
        torch.randn(1, 1, 4, 5, 6, dtype=torch.float64),
    )
    torch.testing.assert_close(block(5 * x), 5 * block(x))


def test_empty_frames_are_not_divided_by_their_norm() -> None:
    assert not ChannelAttention(Slot("channels", 6, num_heads=3))(torch.zeros(1, 1, 4, 5, 6)).any()


@pytest.mark.parametrize("num_heads", [0, -1, 4])
def test_heads_that_do_not_divide_are_an_error(num_heads: int) -> None:
    with pytest.raises(ValueError, match=f"num_heads must divide hidden_size, got {num_heads} heads for 6 channels"):
        ChannelAttention(Slot("channels", 6, num_heads=num_heads))
