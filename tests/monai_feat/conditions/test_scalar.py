# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from monai_feat.conditions import ScalarCondition, ScalarEmbedding
from tests.monai_feat.conditions.blocks import randomised


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


def test_rounding_at_the_ends_is_in_range_and_more_is_not() -> None:
    accepts = ScalarCondition("depth", 0.0, 100.0).accepts
    assert accepts(torch.tensor([-1.0, 0.0, 100.0005])).tolist() == [True, True, True]
    assert accepts(torch.tensor([-0.1, 100.1])).tolist() == [False, False]


def test_negative_ranges_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"depth: expected 0 <= minimum < maximum, got -5 and 5; .*shift quantities"):
        ScalarCondition("depth", -5, 5)
