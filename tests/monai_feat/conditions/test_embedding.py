# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from monai_feat.conditions import (
    ClassCondition,
    ConditionEmbedding,
    FirstFramesCondition,
    MaskCondition,
    ScalarCondition,
)

NUMBERS = [ClassCondition("view", 3), ScalarCondition("fraction", 0.2, 0.8)]
ALL = [*NUMBERS, FirstFramesCondition(), MaskCondition()]


def embedding_of(*conditions: Any) -> ConditionEmbedding:
    module = ConditionEmbedding(conditions, in_channels=4, hidden_size=8, patch_size=2)
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


def inputs() -> tuple[Tensor, Tensor]:
    return torch.randn(2, 8), torch.randn(2, 5, 2, 3, 8)


def test_adds_what_the_blocks_say() -> None:
    module, (embedding, tokens) = embedding_of(*ALL), inputs()
    context = {
        "view": torch.tensor([1, 2]),
        "fraction": torch.tensor([0.3, 0.4]),
        "first_frames": torch.randn(2, 4, 1, 4, 6),
        "label": torch.randint(0, 2, (2, 1, 5, 8, 12)),
    }
    blocks = module.blocks
    with_numbers, with_patches = module(embedding, tokens, context)
    torch.testing.assert_close(
        with_numbers - embedding, blocks["view"](context["view"]) + blocks["fraction"](context["fraction"])
    )
    patches = [blocks[name](context[name], (5, 4, 6)) for name in ("first_frames", "label")]
    torch.testing.assert_close(with_patches - tokens, patches[0] + patches[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("context", [None, {}, {"view": torch.tensor([-1, -1])}])
def test_asking_for_nothing_changes_nothing(context: Any) -> None:
    given = inputs()
    torch.testing.assert_close(embedding_of(*ALL)(*given, context), given, rtol=0, atol=0)


def test_a_tensor_is_taken_by_columns_or_for_the_only_condition() -> None:
    several, given = embedding_of(*NUMBERS), inputs()
    values = torch.tensor([[1, 0.3], [-1, 0.4]])
    by_name = {"view": values[:, 0], "fraction": values[:, 1]}
    torch.testing.assert_close(several(*given, values), several(*given, by_name), rtol=0, atol=0)
    one = embedding_of(ALL[0])
    for labels in (torch.tensor([1, 2]), torch.tensor([[1], [2]])):
        torch.testing.assert_close(one(*given, labels), one(*given, {"view": torch.tensor([1, 2])}), rtol=0, atol=0)
    frames, first = torch.randn(2, 4, 1, 4, 6), embedding_of(ALL[2])
    torch.testing.assert_close(first(*given, frames), first(*given, {"first_frames": frames}), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("conditions", "context", "message"),
    [
        (
            NUMBERS,
            {"age": torch.zeros(2)},
            r"age: not what this network was trained for; it takes view \(a class from 0 to 2\), fraction \(a number",
        ),
        (NUMBERS, {"view": torch.tensor([0, 3])}, "view: 3 was asked for"),
        (NUMBERS, {"view": torch.zeros(3)}, "view: got values"),
        (ALL, torch.zeros(2, 4), r"which values a context of shape \(2, 4\) holds; pass tensors by name for view"),
        (NUMBERS, torch.zeros(2, 3), r"shape \(2, 3\)"),
        (ALL, {"first_frames": torch.zeros(2, 4, 1, 8, 8)}, "first_frames: got"),
    ],
)
def test_what_cannot_be_asked_for_is_named(conditions: list[Any], context: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        embedding_of(*conditions)(*inputs(), context)


def test_two_conditions_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="several conditions have the name view, expected a different name for each"):
        embedding_of(ClassCondition("view", 3), ScalarCondition("view", 0, 1))
