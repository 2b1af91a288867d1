# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from monai_feat.networks.mixers import Slot, SqueezeExcitation
from tests.monai_feat.networks.mixers.twins import assert_twins, randomised


def scale_slowly(block: SqueezeExcitation, x: Tensor) -> Tensor:
    """Frame by frame, channel by channel."""
    outputs = []
    for frame in x.flatten(0, 1):
        means = [frame[..., c].sum() / frame[..., c].numel() for c in range(frame.shape[-1])]
        hidden = [sum(w * m for w, m in zip(row, means, strict=True)).clamp_min(0) for row in block.squeeze.weight]
        logits = [sum(w * h for w, h in zip(row, hidden, strict=True)) for row in block.excite.weight]
        outputs.append(frame / (1 + torch.exp(-torch.stack(logits))))
    return torch.stack(outputs).reshape(x.shape)


@pytest.mark.parametrize("size", [(2, 3, 3, 2), (1, 1, 1, 1)])
def test_equals_sums_channel_by_channel(size: tuple[int, ...]) -> None:
    block = randomised(SqueezeExcitation(Slot("channels", 4), reduction=2))
    x = torch.randn(*size, 4, dtype=torch.float64)
    assert_twins(block, lambda x: scale_slowly(block, x), [x], [block.squeeze.weight, block.excite.weight])


def test_without_weights_all_channels_are_halved() -> None:
    block, x = SqueezeExcitation(Slot("channels", 4)), torch.randn(1, 2, 3, 3, 4)
    torch.nn.init.zeros_(block.excite.weight)
    torch.testing.assert_close(block(x), x / 2)


def test_an_impossible_reduction_is_an_error() -> None:
    with pytest.raises(ValueError, match="reduction must be at least 1, got 0"):
        SqueezeExcitation(Slot("channels", 4), reduction=0)
