# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.conditions import ClassCondition, ClassEmbedding
from tests.monai_feat.conditions.blocks import randomised


def test_a_class_is_a_row_of_the_table() -> None:
    block = randomised(ClassEmbedding(3, 8))
    torch.testing.assert_close(block(torch.tensor([1.0, -1.0])), torch.stack([block.table.weight[1], torch.zeros(8)]))


def test_the_condition_makes_a_block_of_its_classes() -> None:
    block = ClassCondition("view", 5).block(4, 8, 2)
    assert isinstance(block, ClassEmbedding)
    assert block.table.weight.shape == (5, 8)


def test_no_class_is_an_error() -> None:
    with pytest.raises(ValueError, match="view: num_classes must be at least 1, got 0"):
        ClassCondition("view", 0)
