# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from monai_feat.conditions import (
    ClassEmbedding,
    FirstFramesEmbedding,
    MaskEmbedding,
    ScalarEmbedding,
)
from monai_feat.networks.blocks.embeddings import PatchEmbedding
from tests.monai_feat.conditions.blocks import randomised

SIZE = (5, 4, 6)
CASES: list[tuple[nn.Module, Tensor, tuple[Any, ...]]] = [
    (ClassEmbedding(3, 8), torch.tensor([2, 0]), ()),
    (ScalarEmbedding(0.2, 0.8, 8), torch.tensor([0.3, 0.7]), ()),
    (FirstFramesEmbedding(4, 8, 2), torch.randn(2, 4, 3, 4, 6), (SIZE,)),
    (MaskEmbedding(3, 8, 2), torch.randint(0, 3, (2, 1, 5, 16, 24)), (SIZE,)),
]


@pytest.mark.parametrize(("block", "values", "size"), CASES, ids=lambda value: type(value).__name__)
def test_new_ones_add_nothing_and_none_never_does(block: nn.Module, values: Tensor, size: tuple[Any, ...]) -> None:
    assert not block(values, *size).any()
    trained = randomised(block)
    asked = trained(values, *size)
    assert asked.shape == ((2, 5, 2, 3, 8) if size else (2, 8))
    assert asked.any()
    assert not trained(torch.full_like(values, -1), *size).any()
    mixed = values.clone()
    mixed[0] = -1
    torch.testing.assert_close(trained(mixed, *size)[1], asked[1])
    assert not trained(mixed, *size)[0].any()


@pytest.mark.parametrize(("block", "values", "size"), CASES, ids=lambda value: type(value).__name__)
def test_gradients_reach_every_parameter_of_a_trained_one(
    block: nn.Module, values: Tensor, size: tuple[Any, ...]
) -> None:
    trained = randomised(block)
    trained(values, *size).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in trained.parameters())


def test_first_frames_and_masks_are_as_good_as_more_channels_of_the_noisy_clip() -> None:
    """Embedding x and the condition apart is embedding both, concatenated, with the weights side by side."""
    noisy, plain = torch.randn(2, 4, *SIZE), PatchEmbedding(4, 8, 2)
    frames, masks = torch.randn(2, 4, 3, 4, 6), torch.randint(0, 3, (2, 1, *SIZE))
    known = torch.zeros(2, 1, *SIZE)
    known[:, :, :3] = 1
    blocks = randomised(FirstFramesEmbedding(4, 8, 2)), randomised(MaskEmbedding(3, 8, 2))
    channels = torch.cat((F.pad(frames, (0, 0, 0, 0, 0, 2)), known), 1), F.one_hot(masks[:, 0], 3).movedim(-1, 1)
    for block, values, extra in zip(blocks, (frames, masks), channels, strict=True):
        both = PatchEmbedding(4 + extra.shape[1], 8, 2)
        weights = (rearrange(w, "d (c p) -> d c p", p=4) for w in (plain.proj.weight, block.patches.proj.weight))
        both.load_state_dict({"proj.weight": torch.cat(tuple(weights), 1).flatten(1), "proj.bias": plain.proj.bias})
        torch.testing.assert_close(plain(noisy) + block(values, SIZE), both(torch.cat((noisy, extra.float()), 1)))
