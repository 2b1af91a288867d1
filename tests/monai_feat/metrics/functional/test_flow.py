# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, shift
from skimage.registration import optical_flow_ilk
from torch import Tensor

from monai_feat.metrics.functional.flow import optical_flow, visible_pixels, warp_back


def textured(side: int = 64, seed: int = 0) -> Tensor:
    """A frame of smooth noise, levels (1, 1, side, side)."""
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal((side, side)), 2)
    return torch.tensor(255 * (noise - noise.min()) / np.ptp(noise)).round().float()[None, None]


def moved(frame: Tensor, down: float, right: float) -> Tensor:
    return torch.tensor(shift(frame[0, 0].numpy(), (down, right), order=3))[None, None]


def inner(frames: Tensor, margin: int = 16) -> Tensor:
    return frames[..., margin:-margin, margin:-margin]


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.25), (0.5, -0.5), (2.0, 1.0), (-3.0, 5.0), (8.0, 0.0)])
def test_a_known_translation_is_measured(down: float, right: float) -> None:
    frame = textured(96)
    flow = optical_flow(inner(frame), inner(moved(frame, down, right)))[0, :, 12:-12, 12:-12]
    torch.testing.assert_close(flow.mean((1, 2)), torch.tensor([right, down]), atol=0.05, rtol=0)
    assert flow.std((1, 2)).max() < 0.15


def test_it_agrees_with_skimage() -> None:
    frame = textured(96)
    first, second = inner(frame), inner(moved(frame, 1.5, -0.7))
    down, right = optical_flow_ilk(first[0, 0].numpy() / 255, second[0, 0].numpy() / 255, radius=7)
    flow = optical_flow(first, second)[0]
    difference = inner((flow - torch.tensor(np.stack((right, down)))).norm(dim=0), 8)
    assert difference.mean() < 0.05


def test_a_change_of_light_is_no_motion() -> None:
    frame = textured()
    assert optical_flow(frame, 0.8 * frame + 20).norm(dim=1).mean() < 0.01
    moving = textured(96)
    first, second = inner(moving), inner(moved(moving, 1, 2))
    torch.testing.assert_close(optical_flow(first, 0.8 * second + 20), optical_flow(first, second), atol=0.05, rtol=0)


@pytest.mark.parametrize("size", [(64, 64), (17, 100), (31, 33)])
def test_equal_frames_do_not_move(size: tuple[int, int]) -> None:
    frame = textured(100)[..., : size[0], : size[1]]
    assert optical_flow(frame, frame).abs().max() < 1e-3


def test_a_black_frame_stands_still_next_to_noise() -> None:
    noise = 2 * torch.rand(2, 1, 1, 64, 64)
    assert optical_flow(noise[0], noise[0]).abs().max() < 1e-3
    assert optical_flow(torch.zeros(1, 1, 64, 64), noise[1]).norm(dim=1).mean() < 0.1


def test_pairs_do_not_depend_on_their_neighbours() -> None:
    first = torch.cat([textured(seed=seed) for seed in range(3)])
    second = first.roll(1, dims=3)
    apart = torch.cat([optical_flow(one, other) for one, other in zip(first.split(1), second.split(1), strict=True)])
    torch.testing.assert_close(optical_flow(first, second), apart)


def test_large_frames_are_measured_at_half_their_size() -> None:
    frame = textured(400)
    flow = optical_flow(frame, moved(frame, 0, 6))[0, :, 50:-50, 50:-50]
    torch.testing.assert_close(flow.mean((1, 2)), torch.tensor([6.0, 0.0]), atol=0.1, rtol=0)


def test_warping_back_undoes_a_shift() -> None:
    frame, flow = textured(), torch.zeros(1, 2, 64, 64)
    flow[:, 0] = 3
    warped, inside = warp_back(frame.roll(3, dims=3), flow)
    torch.testing.assert_close(warped[..., :61], frame[..., :61], atol=1e-3, rtol=0)
    assert inside[..., :61].all()
    assert not inside[..., 61:].any()


def test_hidden_pixels_are_those_whose_flows_do_not_cancel() -> None:
    forward, backward = torch.zeros(1, 2, 32, 32), torch.zeros(1, 2, 32, 32)
    forward[:, 0, :, :8] = 4  # goes where, by the backward flow, nothing came from
    visible = visible_pixels(forward, backward)[0, 0]
    assert not visible[:, :8].any()
    assert visible[:, 8:].all()
    assert visible_pixels(forward[..., :8], -forward[..., :8])[..., :4].all()


@pytest.mark.parametrize("shape", [(1, 1, 8, 64), (1, 3, 64, 64), (1, 64, 64)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 16 x 16 pixels"):
        optical_flow(torch.zeros(shape), torch.zeros(shape))
