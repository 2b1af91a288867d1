# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from monai_feat.networks.mixers import Slot, SoftmaxMixing
from tests.monai_feat.networks.mixers.twins import assert_twins, randomised

C, HEADS, FAR = 4, 2, 2


def attend(block: SoftmaxMixing, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Pair by pair of tokens."""
    outputs = torch.empty_like(v)
    places = list(itertools.product(*map(range, v.shape[1:-1])))
    for n, i, head in itertools.product(range(len(v)), places, range(HEADS)):
        part = slice(head * C // HEADS, (head + 1) * C // HEADS)
        scores = []
        for j in places:
            distances = [max(-FAR, min(FAR, a - b)) + FAR for a, b in zip(i, j, strict=True)]
            bias = sum(block.bias[axis, head, d] for axis, d in enumerate(distances))
            scores.append(q[(n, *i)][part] @ k[(n, *j)][part] / (C / HEADS) ** 0.5 + bias)
        weights = torch.stack(scores).softmax(dim=0)
        outputs[(n, *i)][part] = sum(w * v[(n, *j)][part] for w, j in zip(weights, places, strict=True))
    return outputs


@pytest.mark.parametrize(("axis", "grid"), [("time", (5,)), ("time", (1,)), ("space", (3, 2))])
def test_equals_attention_pair_by_pair(axis: str, grid: tuple[int, ...]) -> None:
    block = randomised(SoftmaxMixing(Slot(axis, C, HEADS), max_distance=FAR))  # type: ignore[arg-type]
    inputs = [torch.randn(2, *grid, C, dtype=torch.float64) for _ in range(3)]
    assert_twins(block.mix, lambda *x: attend(block, *x), inputs, [block.bias])


def test_a_bias_for_the_own_place_alone_passes_values_through() -> None:
    block = SoftmaxMixing(Slot("space", C, HEADS), max_distance=1)
    nn.init.constant_(block.bias, -1e4)
    block.bias.data[:, :, 1] = 0
    q, k, v = torch.randn(3, 2, 3, 4, C).unbind(0)
    torch.testing.assert_close(block.mix(q, k, v), v)


def test_a_negative_distance_is_an_error() -> None:
    with pytest.raises(ValueError, match="max_distance must be 0 or more, got -1"):
        SoftmaxMixing(Slot("time", C), max_distance=-1)
