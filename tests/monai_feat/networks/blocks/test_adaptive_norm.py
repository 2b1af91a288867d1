# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_feat.networks.blocks import AdaptiveBlock, AdaptiveModulation, LayerScaledAdaptiveBlock, modulate


class Doubling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def randomised(block: nn.Module) -> nn.Module:
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    return block.double()


def test_modulation_splits_one_projection() -> None:
    modulation, embedding = AdaptiveModulation(4, 3, nn.SiLU()), torch.randn(2, 4)
    vectors = modulation(embedding)
    assert [v.shape for v in vectors] == 3 * [(2, 1, 1, 1, 4)]
    projected = F.linear(F.silu(embedding), modulation.proj.weight, modulation.proj.bias)
    torch.testing.assert_close(torch.cat(vectors, dim=-1).reshape(2, 12), projected)


def test_modulate_shifts_and_scales() -> None:
    x, shift, scale = torch.randn(3, 2, 5, 6, 7, 4, dtype=torch.float64).unbind(0)
    torch.testing.assert_close(modulate(x, shift, scale), x * (1 + scale) + shift)


@pytest.mark.parametrize("scaled", [False, True])
def test_block_equals_its_formula_clip_by_clip(scaled: bool) -> None:
    block = LayerScaledAdaptiveBlock(Doubling(), 4, 2.0) if scaled else AdaptiveBlock(Doubling(), 4, 2.0, nn.SiLU())
    randomised(block)
    x, embedding = torch.randn(2, 3, 2, 2, 4, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    for clip in range(2):
        activated = F.silu(embedding[clip]) / (0.596 if scaled else 1)
        vectors = block.modulation.proj.weight @ activated + block.modulation.proj.bias
        shift1, scale1, gate1, shift2, scale2, gate2 = vectors.split(4)
        if scaled:
            gate1, gate2 = gate1 * block.gamma1, gate2 * block.gamma2
        tokens = x[clip]
        normed = F.layer_norm(tokens, (4,), block.norm1.weight, block.norm1.bias)
        tokens = tokens + gate1 * 2 * (normed * (1 + scale1) + shift1)
        normed = F.layer_norm(tokens, (4,), block.norm2.weight, block.norm2.bias)
        tokens = tokens + gate2 * block.feed_forward((normed * (1 + scale2) + shift2)[None])[0]
        torch.testing.assert_close(block(x, embedding)[clip], tokens)


def test_a_zero_projection_makes_the_identity() -> None:
    block = LayerScaledAdaptiveBlock(Doubling(), 4, 2.0)
    nn.init.zeros_(block.modulation.proj.weight)
    nn.init.zeros_(block.modulation.proj.bias)
    x = torch.randn(2, 3, 2, 2, 4)
    torch.testing.assert_close(block(x, torch.randn(2, 4)), x, rtol=0, atol=0)


def test_one_embedding_per_clip_is_needed() -> None:
    block = AdaptiveBlock(Doubling(), 4, 2.0, nn.SiLU())
    with pytest.raises(RuntimeError, match="must match"):
        block(torch.randn(2, 3, 2, 2, 4), torch.randn(5, 4))
