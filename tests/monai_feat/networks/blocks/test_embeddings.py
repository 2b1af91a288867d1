# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from monai_feat.networks.blocks import PatchEmbedding, ScaledSiLU, TimestepEmbedding, unpatchify


def test_scaled_silu_keeps_the_second_moment_of_a_standard_normal() -> None:
    x = torch.linspace(-12, 12, 100_001, dtype=torch.float64)
    density = torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
    moment = torch.trapezoid(ScaledSiLU()(x) ** 2 * density, x)
    assert moment.item() == pytest.approx(1, abs=2e-3)


def test_patch_embedding_is_a_strided_convolution() -> None:
    block, x = PatchEmbedding(3, 5, patch_size=2).double(), torch.randn(2, 3, 4, 6, 8, dtype=torch.float64)
    weight = block.proj.weight.reshape(5, 3, 1, 2, 2)
    expected = F.conv3d(x, weight, block.proj.bias, stride=(1, 2, 2))
    torch.testing.assert_close(block(x).permute(0, 4, 1, 2, 3), expected)


@pytest.mark.parametrize("size", [(5, 4), (4, 5)])
def test_frames_that_are_no_whole_number_of_patches(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=rf"multiple of the patch size 2 .* got {size[0]}×{size[1]}; resize"):
        PatchEmbedding(3, 5, patch_size=2)(torch.zeros(1, 3, 1, *size))


def test_unpatchify_puts_every_pixel_in_its_place() -> None:
    p, channels = 3, 2
    patches = torch.arange(2 * 4 * 2 * 5 * p * p * channels).reshape(2, 4, 2, 5, -1)
    clip = unpatchify(patches, p)
    assert clip.shape == (2, channels, 4, 2 * p, 5 * p)
    for b, c, t, y, x in [(0, 0, 0, 0, 0), (1, 1, 3, 5, 14), (0, 1, 2, 4, 7), (1, 0, 1, 2, 3)]:
        assert clip[b, c, t, y, x] == patches[b, t, y // p, x // p, ((y % p) * p + x % p) * channels + c]


def test_timestep_embedding_equals_its_formula() -> None:
    block, timesteps = TimestepEmbedding(6).double(), [0, 1, 37.25, 999]
    waves = []
    for t in timesteps:
        angles = [t * 10_000 ** (-i / 128) for i in range(128)]
        waves.append([math.cos(a) for a in angles] + [math.sin(a) for a in angles])
    expected = block.mlp(torch.tensor(waves, dtype=torch.float64))
    torch.testing.assert_close(block(torch.tensor(timesteps)), expected, atol=1e-4, rtol=0)  # angles are float32


def test_integer_and_float_timesteps_are_one() -> None:
    block, timesteps = TimestepEmbedding(6), torch.tensor([0, 1, 999])
    torch.testing.assert_close(block(timesteps), block(timesteps.double()), rtol=0, atol=0)


def test_low_precision_networks_tell_neighbouring_timesteps_apart() -> None:
    embedding = TimestepEmbedding(64).bfloat16()(torch.tensor([998, 999]))
    assert embedding.dtype == torch.bfloat16
    assert not torch.equal(embedding[0], embedding[1])
