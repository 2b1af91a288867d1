# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.networks.nets import ClipSegmenter


@pytest.fixture
def clip() -> torch.Tensor:
    return torch.randn(2, 1, 3, 32, 48)


def test_frames_pass_one_by_one(clip: torch.Tensor) -> None:
    network = ClipSegmenter(1, 3, init_filters=4).eval()
    whole = network(clip)
    assert whole.shape == (2, 3, 3, 32, 48)
    for t in range(3):
        torch.testing.assert_close(whole[:, :, t : t + 1], network(clip[:, :, t : t + 1]))


def test_the_context_of_the_clip_reaches_other_frames(clip: torch.Tensor) -> None:
    network = ClipSegmenter(1, 2, init_filters=4, context="clip").eval()
    changed = clip.clone()
    changed[:, :, 2] += 1
    assert not torch.allclose(network(clip)[:, :, 0], network(changed)[:, :, 0])
    assert network(clip[:, :, :1]).shape == (2, 2, 1, 32, 48)


@pytest.mark.parametrize("context", ["frame", "clip"])
def test_every_weight_learns_from_deep_supervision(clip: torch.Tensor, context: str) -> None:
    network = ClipSegmenter(1, 2, init_filters=4, context=context, num_supervised=2)  # type: ignore[arg-type]
    levels = network(clip)
    assert [tuple(level.shape) for level in levels] == [(2, 2, 3, 32, 48)] * 3
    sum(level.square().mean() for level in levels).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_bad_shapes_and_settings_are_refused(clip: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"multiples of 16, at least twice, got \(2, 1, 3, 32, 47\)"):
        ClipSegmenter(1, 2)(clip[..., :47])
    with pytest.raises(ValueError, match="expected context to be one of"):
        ClipSegmenter(1, 2, context="video")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="num_supervised from 0 to num_levels - 2, got 3 and 2"):
        ClipSegmenter(1, 2, num_levels=3, num_supervised=2)
