# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from monai_feat.metrics.functional import flow_speed, frame_change, motion_magnitude, seam_ratio


def grey(levels: Tensor, channels: int = 1) -> Tensor:
    """A clip of frames that are of one level all over."""
    return levels.to(torch.uint8)[None, None, :, None, None].expand(1, channels, -1, 32, 32)


def travelling(positions: Tensor) -> Tensor:
    """A texture that is at `positions` (T,) pixels to the right: uint8 (1, 1, T, 64, 64)."""
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    frames = [torch.sin((x - p) / 3 + 0.7 * torch.sin(y / 5)) + torch.cos(y / 4 - (x - p) / 7) for p in positions]
    return (128 + 50 * torch.stack(frames)).round().to(torch.uint8)[None, None]


def test_changes_are_those_of_numpy() -> None:
    clips = torch.randint(0, 256, (2, 3, 5, 16, 16), dtype=torch.uint8)
    expected = np.abs(np.diff(clips.numpy().astype(int), axis=2)).mean(axis=(1, 3, 4))
    np.testing.assert_allclose(frame_change(clips).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("borders", [[4], [2, 5], [1, 2, 3, 4, 5, 6]])
def test_constant_motion_gives_one(borders: list[int]) -> None:
    assert seam_ratio(grey(10 * torch.arange(8)), borders) == 1
    assert seam_ratio(travelling(1.5 * torch.arange(8)), borders, flow_speed).item() == pytest.approx(1, abs=0.05)


def test_hard_cuts_give_their_size() -> None:
    """Steps of 2 levels, and of 12 and 6 at the borders: 9 over 2."""
    steps = torch.tensor([2, 2, 12, 2, 2, 6, 2])
    clip = grey(torch.cat((torch.zeros(1), steps.cumsum(0))), channels=3)
    assert seam_ratio(clip, [3, 6]) == pytest.approx(4.5)
    assert seam_ratio(clip, (6, 3, 3)) == seam_ratio(clip, [3, 6])
    assert seam_ratio(clip, [1]) < 1


def test_a_jump_of_the_scene_is_seen_by_flow_and_a_standstill_too() -> None:
    steps = torch.ones(8)
    for size in (0.0, 3.0):
        steps[4] = size
        assert seam_ratio(travelling(steps.cumsum(0)), [4], flow_speed).item() == pytest.approx(size, abs=0.1)


def test_speeds_average_to_the_magnitude() -> None:
    clips = travelling(torch.tensor([0.0, 1.0, 3.0]))
    torch.testing.assert_close(flow_speed(clips), torch.tensor([[1.0, 2.0]]).double(), atol=0.05, rtol=0)
    torch.testing.assert_close(flow_speed(clips).mean(1), motion_magnitude(clips))


def test_a_clip_that_only_jumps_has_no_value() -> None:
    clips = torch.cat((grey(torch.tensor([5, 5, 9, 9])), grey(torch.tensor([5, 6, 9, 10]))))
    found = seam_ratio(clips, [2])
    assert found[0].isnan()
    assert found[1] == 3


@pytest.mark.parametrize("borders", [[], [0], [4], [-1, 2], [1, 2, 3]])
def test_borders_outside_of_the_clip_are_refused(borders: list[int]) -> None:
    with pytest.raises(ValueError, match="expected borders within 1 … 3 for clips of 4 frames"):
        seam_ratio(grey(torch.arange(4)), borders)


def test_what_is_no_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 frames, got 2"):
        seam_ratio(grey(torch.arange(2)), [1])
    with pytest.raises(TypeError, match="expected uint8"):
        frame_change(grey(torch.arange(4)).float())
