# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from monai_feat.networks.blocks import LevelConditionedSkip


def random_skip(num_filters: int = 3) -> LevelConditionedSkip:
    skip = LevelConditionedSkip(2, 4, num_filters).double()
    for parameter in skip.parameters():
        nn.init.normal_(parameter, std=0.5)
    return skip


def test_it_is_one_convolution_whose_kernel_is_mixed_by_level() -> None:
    skip, x, timesteps = random_skip(), torch.randn(2, 2, 5, 4, 6, dtype=torch.float64), torch.tensor([3.0, 700.0])
    shares = skip.mixture(skip.activation(skip.embedding(timesteps)))
    kernels, biases = skip.filters.weight.reshape(3, 4, 2, 3, 3, 3), skip.filters.bias.reshape(3, 4)
    for clip, share, found in zip(x, shares, skip(x, timesteps), strict=True):
        kernel, bias = torch.einsum("k,kocthw->octhw", share, kernels), share @ biases
        torch.testing.assert_close(found, F.conv3d(clip, kernel, bias, padding=1))


def test_the_mixture_depends_on_the_level() -> None:
    skip, x = random_skip(), torch.randn(1, 2, 3, 4, 4, dtype=torch.float64)
    little, much = skip(x, torch.tensor([10.0])), skip(x, torch.tensor([900.0]))
    assert (little - much).abs().max() > 0.01 * much.abs().max()


def test_a_new_one_adds_nothing_and_learns_at_once() -> None:
    skip = LevelConditionedSkip(4, 4, 8)
    output = skip(torch.randn(1, 4, 3, 4, 4), torch.tensor([500.0]))
    assert output.abs().max() == 0
    (output - 1).square().mean().backward()
    assert skip.mixture.weight.grad.abs().sum() > 0


def test_image_frames_are_filtered_each_alone() -> None:
    skip, x, timesteps = random_skip(), torch.randn(2, 2, 6, 4, 4, dtype=torch.float64), torch.tensor([3.0, 700.0])
    found = skip(x, timesteps, num_image_frames=2)
    torch.testing.assert_close(found[:, :, :4], skip(x[:, :, :4], timesteps))
    for frame in (4, 5):
        torch.testing.assert_close(found[:, :, frame : frame + 1], skip(x[:, :, frame : frame + 1], timesteps))
