# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
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

SIZE = (5, 4, 6)
CASES: list[tuple[nn.Module, Tensor, tuple[Any, ...]]] = [
    (ClassEmbedding(3, 8), torch.tensor([2, 0]), ()),
    (ScalarEmbedding(0.2, 0.8, 8), torch.tensor([0.3, 0.7]), ()),
    (FirstFramesEmbedding(4, 8, 2), torch.randn(2, 4, 3, 4, 6), (SIZE,)),
    (MaskEmbedding(3, 8, 2), torch.randint(0, 3, (2, 1, 5, 16, 24)), (SIZE,)),
]


def randomised(block: nn.Module) -> nn.Module:
    block = copy.deepcopy(block)
    for parameter in block.parameters():
        nn.init.normal_(parameter)
    return block


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


def test_a_class_is_a_row_of_the_table() -> None:
    block = randomised(ClassEmbedding(3, 8))
    torch.testing.assert_close(block(torch.tensor([1.0, -1.0])), torch.stack([block.table.weight[1], torch.zeros(8)]))


def test_numbers_close_by_are_embedded_close_by() -> None:
    """A step of 1 % of the range moves the waves by little, and the ends of the range are apart."""
    low, high = 20.0, 60.0
    waves = ScalarEmbedding(low, high, 8).waves
    waves.mlp = nn.Sequential(nn.Linear(64, 64, bias=False))
    nn.init.eye_(waves.mlp[0].weight)
    first, near, far = (waves(torch.tensor([share * 20.0]))[0] for share in (0.0, 0.01, 1.0))
    cosine = F.cosine_similarity(torch.stack([near, far]), first[None])
    assert cosine[0] > 0.99
    assert cosine[1] < 0.8


def test_numbers_are_embedded_by_their_share_of_the_range() -> None:
    one, other = ScalarEmbedding(0.2, 0.7, 8), ScalarEmbedding(20, 70, 8)
    one = randomised(one)
    other.waves.load_state_dict(one.waves.state_dict())
    torch.testing.assert_close(one(torch.tensor([0.3, 0.7])), other(torch.tensor([30, 70])))


def test_weights_of_another_range_are_refused() -> None:
    trained, other = ScalarEmbedding(0.2, 0.7, 8), ScalarEmbedding(0.2, 0.9, 8)
    ScalarEmbedding(0.2, 0.7, 8).load_state_dict(copy.deepcopy(trained).half().state_dict())
    with pytest.raises(RuntimeError, match=r"was trained for 0\.2 to 0\.7, and is defined here for 0\.2 to 0\.9"):
        other.load_state_dict(trained.state_dict())


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


def test_a_frame_of_none_is_as_good_as_one_that_is_not_given() -> None:
    block, frames = randomised(FirstFramesEmbedding(4, 8, 2)), torch.randn(1, 4, 3, 4, 6)
    frames[:, :, 1:] = -1
    torch.testing.assert_close(block(frames, SIZE), block(frames[:, :, :1], SIZE))


def test_masks_of_any_size_count_by_area() -> None:
    block = randomised(MaskEmbedding(2, 8, 2))
    coarse = torch.randint(0, 2, (1, 1, *SIZE))
    fine = coarse.repeat_interleave(8, dim=3).repeat_interleave(8, dim=4)
    torch.testing.assert_close(block(fine, SIZE), block(coarse, SIZE))
