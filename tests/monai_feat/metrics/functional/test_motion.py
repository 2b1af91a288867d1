# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest
import torch
from skimage.registration import optical_flow_tvl1
from torch import Tensor

from monai_feat.metrics.functional.motion import (
    clip_flow,
    flicker,
    motion_acceleration,
    motion_magnitude,
    warping_error,
)

ALL = (motion_magnitude, motion_acceleration, warping_error, flicker)


def scene(x: Tensor, y: Tensor) -> Tensor:
    """A smooth texture without a period, levels from 40 to 215."""
    waves = (torch.sin(x / 3 + 0.7 * torch.sin(y / 5)), torch.cos(y / 4 - x / 7), torch.sin((x + 2 * y) / 9))
    return 128 + 29 * sum(waves, start=torch.zeros(()))


def travelling(positions: Tensor, side: int = 64, channels: int = 1) -> Tensor:
    """A clip of a scene that is at `positions` (T,) pixels to the right: uint8 (1, C, T, side, side)."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    frames = torch.stack([scene(x - position, y.double()) for position in positions.double()])
    return frames.round().to(torch.uint8).expand(1, channels, -1, -1, -1)


@pytest.mark.parametrize("speed", [0.25, 1.0, 2.5, 4.0])
def test_speed_is_recovered_within_two_per_cent(speed: float) -> None:
    clips = travelling(speed * torch.arange(5))
    assert motion_magnitude(clips).item() == pytest.approx(speed, rel=0.02)


def test_even_motion_has_no_acceleration_and_a_known_one_is_recovered() -> None:
    steps = torch.arange(6)
    assert motion_acceleration(travelling(2 * steps)).item() < 0.06
    assert motion_acceleration(travelling(0.5 * steps**2)).item() == pytest.approx(1.0, abs=0.07)


def test_a_frozen_clip_neither_moves_nor_changes() -> None:
    clips = travelling(torch.zeros(4), channels=3)
    for measure in ALL:
        assert measure(clips).item() < 1e-5


def test_a_constant_clip_has_0_everywhere() -> None:
    clips = torch.full((2, 3, 3, 32, 32), 77, dtype=torch.uint8)
    for measure in ALL:
        torch.testing.assert_close(measure(clips), torch.zeros(2, dtype=torch.float64), atol=1e-9, rtol=0)


def test_warping_error_of_one_pair_is_that_of_another_flow() -> None:
    clips = travelling(torch.tensor([0.0, 2.0]))
    first, second = clips[0, 0].double() / 255
    down, right = optical_flow_tvl1(first.numpy(), second.numpy())
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    x, y = columns + torch.tensor(right), rows + torch.tensor(down)
    grid = torch.stack((x, y), -1)[None] * 2 / 63 - 1
    warped = torch.nn.functional.grid_sample(second[None, None], grid.double(), align_corners=True)[0, 0]
    inside = (x >= 0) & (x <= 63) & (y >= 0) & (y <= 63)
    expected = (warped - first).square()[inside].mean().item()
    still = (second - first).square().mean().item()
    assert warping_error(clips).item() == pytest.approx(expected, abs=1e-4)
    assert warping_error(clips).item() < 0.01 * still


def test_warping_error_sees_noise_and_leaves_out_what_is_hidden() -> None:
    clips = travelling(torch.zeros(6))
    noisy = (clips + 10 * torch.randn(clips.shape)).round().clamp(0, 255).to(torch.uint8)
    # Of independent noise the difference has twice the variance; following it, and interpolation, take a part away.
    assert 0.5 < warping_error(noisy).item() / (2 * (10 / 255) ** 2) <= 1.02
    appearing = clips.clone()
    appearing[..., 3:, 20:44, 20:44] = 255 - appearing[..., 3:, 20:44, 20:44]
    assert warping_error(appearing).item() < (appearing.double() / 255).diff(dim=2).square().mean().item()


@pytest.mark.parametrize("speed", [0.0, 1.5])
@pytest.mark.parametrize("amplitude", [2, 10])
def test_flicker_of_known_amplitude_is_recovered_whatever_moves(amplitude: int, speed: float) -> None:
    clips = travelling(speed * torch.arange(6))
    alternating = amplitude * torch.tensor([-1, 1]).repeat(3)
    flickering = (clips + alternating[:, None, None]).to(torch.uint8)
    assert flicker(flickering).item() == pytest.approx(2 * amplitude, rel=0.03)
    assert flicker(clips).item() < 0.1


def test_steady_brightening_is_no_flicker() -> None:
    clips = travelling(torch.zeros(6)) + 5 * torch.arange(6)[:, None, None]
    assert flicker(clips.to(torch.uint8)).item() < 0.1


@pytest.mark.parametrize("measure", ALL)
def test_clips_do_not_depend_on_their_batch(measure: Callable[[Tensor], Tensor]) -> None:
    clips = torch.cat([travelling(speed * torch.arange(4), side=32) for speed in (0.5, 2.0)])
    values = measure(clips)
    assert values.shape == (2,)
    assert values.dtype == torch.float64
    torch.testing.assert_close(values, torch.cat([measure(clip) for clip in clips.split(1)]), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("measure", [motion_magnitude, motion_acceleration])
def test_mirrored_clips_move_alike(measure: Callable[[Tensor], Tensor]) -> None:
    clips = travelling(1.5 * torch.arange(4))
    torch.testing.assert_close(measure(clips), measure(clips.flip(-1)), rtol=1e-3, atol=1e-4)


def test_a_clip_that_cannot_be_followed_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = travelling(torch.arange(4), side=32)
    followed = torch.tensor([True, False, False])  # the first of three pairs can be followed
    module = sys.modules[warping_error.__module__]
    monkeypatch.setattr(
        module, "visible_pixels", lambda there, back: followed[:, None, None, None].expand(-1, 1, 32, 32)
    )
    assert warping_error(clips).isfinite().all()
    assert flicker(clips).isnan().all()
    followed[0] = False
    assert warping_error(clips).isnan().all()


def test_flow_has_one_field_less_than_frames() -> None:
    assert clip_flow(travelling(torch.arange(3), side=32)).shape == (1, 2, 2, 32, 32)


@pytest.mark.parametrize("measure", ALL)
def test_one_frame_or_a_small_one_is_refused(measure: Callable[[Tensor], Tensor]) -> None:
    clips = torch.zeros(1, 3, 4, 32, 32, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"at least \d frames, got 1"):
        measure(clips[:, :, :1])
    with pytest.raises(ValueError, match="at least 16 x 16 pixels"):
        measure(clips[..., :8])
    with pytest.raises(TypeError, match="expected uint8"):
        measure(clips.float())


def test_64_clips_take_less_than_20_seconds() -> None:
    clips = travelling(torch.arange(16)).repeat(8, 1, 1, 1, 1)
    start = time.process_time()
    warping_error(clips)
    assert 64 / len(clips) * (time.process_time() - start) < 20
