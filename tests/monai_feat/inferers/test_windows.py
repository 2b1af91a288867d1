# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from monai_feat.conditions import FirstFramesCondition, MaskCondition, ScalarCondition
from monai_feat.inferers import ClipSampler, GuidedDenoiser, WindowedDenoiser, sample_clips
from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.schedulers import RespacedDDIMScheduler, RespacedDDPMScheduler

CONDITIONS = [ScalarCondition("fraction", 0, 1), FirstFramesCondition(max_frames=3), MaskCondition(num_labels=3)]
LENGTHS = pytest.mark.parametrize(("num_frames", "window", "stride"), [(9, 4, 2), (10, 4, 3), (7, 3, 1), (8, 4, 4)])


def feat(out_channels: int = 4) -> FEAT:
    network = FEAT(out_channels=out_channels, conditions=CONDITIONS, **FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def clips(num_frames: int, count: int = 2) -> Tensor:
    return torch.randn(count, 4, num_frames, 4, 6)


def full_context(num_frames: int) -> dict[str, Tensor]:
    return {
        "fraction": torch.tensor([0.2, 0.9]),
        "first_frames": clips(3),
        "label": torch.randint(0, 3, (2, 1, num_frames, 8, 12), dtype=torch.uint8),
    }


def part_of(context: dict[str, Tensor], clip: int, start: int, window: int) -> dict[str, Tensor]:
    """What a window is asked for, frame by frame: first frames that it does not hold are none."""
    frames = torch.full((1, 4, min(3, window), 4, 6), -1.0)
    for place in range(frames.shape[2]):
        if start + place < 3:
            frames[0, :, place] = context["first_frames"][clip, :, start + place]
    return {
        "fraction": context["fraction"][clip : clip + 1],
        "first_frames": frames,
        "label": context["label"][clip : clip + 1, :, start : start + window],
    }


def blend(network: FEAT, x: Tensor, timesteps: Tensor, context: dict[str, Tensor], window: int, stride: int) -> Tensor:
    """The definition: each window alone, each frame the mean of its windows, weighted by MONAI's Gaussian."""
    num_frames = x.shape[2]
    starts = [*range(0, num_frames - window, stride), num_frames - window]
    distance = torch.arange(window) - (window - 1) / 2
    weights = torch.exp(-(distance**2) / (2 * (0.125 * window) ** 2)).clamp(min=1e-3)
    weights = weights[:, None, None]
    total, norm = torch.zeros(len(x), network.out_channels, *x.shape[2:]), torch.zeros(num_frames, 1, 1)
    for start in starts:
        norm[start : start + window] += weights
        for clip in range(len(x)):
            part = x[clip : clip + 1, :, start : start + window]
            asked = part_of(context, clip, start, window)
            total[clip, :, start : start + window] += weights * network(part, timesteps[clip], asked)[0]
    return total / norm


@LENGTHS
@torch.no_grad()
def test_windows_are_cut_and_blended_as_defined(num_frames: int, window: int, stride: int) -> None:
    network, x, context = feat(8), clips(num_frames), full_context(num_frames)
    timesteps = torch.tensor([3.0, 700.0])
    found = WindowedDenoiser(network, window, stride, windows_at_once=3)(x, timesteps, context)
    expected = blend(network, x, timesteps, context, window, stride)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@LENGTHS
def test_borders_are_where_windows_start_and_end(num_frames: int, window: int, stride: int) -> None:
    starts = [*range(0, num_frames - window, stride), num_frames - window]
    ends = {*starts, *(start + window for start in starts)}
    expected = ends - {0, num_frames}
    denoiser = WindowedDenoiser(nn.Identity(), window, stride)
    assert denoiser.borders(num_frames) == sorted(expected)
    assert denoiser.borders(window) == WindowedDenoiser(nn.Identity(), None).borders(num_frames) == []


@pytest.mark.parametrize("window", [None, 5, 6])
@torch.no_grad()
def test_a_clip_no_longer_than_the_window_keeps_its_bits(window: int | None) -> None:
    network, x, context = feat(8), clips(5), full_context(5)
    denoiser = WindowedDenoiser(network, window)
    assert torch.equal(denoiser(x, torch.tensor([9.0]), context), network(x, torch.tensor([9.0]), context))
    options = {"latent_shape": (4, 5, 4, 6), "num_inference_steps": 2, "seed": 3}
    long = sample_clips(denoiser, RespacedDDIMScheduler(), [4, 7], noise_window=window, **options)
    assert torch.equal(long, sample_clips(network, RespacedDDIMScheduler(), [4, 7], **options))


@torch.no_grad()
def test_what_overlaps_without_dispute_stays_as_it_is() -> None:
    """A network that looks at single frames gives the same in any window."""
    frame_wise, x = nn.Conv3d(4, 4, (1, 3, 3), padding=(0, 1, 1)), clips(11)

    class Frames(nn.Module):
        def forward(self, x: Tensor, timesteps: Tensor, context: None) -> Tensor:
            return frame_wise(x)

    torch.testing.assert_close(WindowedDenoiser(Frames(), 4, 3)(x, torch.tensor([1.0])), frame_wise(x))


@torch.no_grad()
def test_the_input_is_left_alone() -> None:
    class Same(nn.Module):
        def forward(self, x: Tensor, timesteps: Tensor, context: None) -> Tensor:
            return x

    x = clips(8)
    before = x.clone()
    torch.testing.assert_close(WindowedDenoiser(Same(), 4, windows_at_once=1)(x, torch.zeros(1)), before)
    assert torch.equal(x, before)


@torch.no_grad()
def test_guidance_inside_and_outside_agree() -> None:
    network, x, context = feat(), clips(9), full_context(9)
    context["label"] = context["label"].to(torch.int16)
    inside = WindowedDenoiser(GuidedDenoiser(network, 2.0), 4)(x, torch.tensor([9.0]), context)
    outside = GuidedDenoiser(WindowedDenoiser(network, 4), 2.0)(x, torch.tensor([9.0]), context)
    torch.testing.assert_close(inside, outside, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_one_tensor_as_context_is_cut_too() -> None:
    network = FEAT(conditions=[MaskCondition()], **FEAT_PRESETS["pico"]).eval()
    x, masks = clips(8), torch.zeros(2, 1, 8, 4, 6)
    denoiser = WindowedDenoiser(network, 4)
    named = denoiser(x, torch.tensor([9.0]), {"label": masks})
    assert torch.equal(denoiser(x, torch.tensor([9.0]), masks), named)


def test_few_windows_are_in_memory_at_once() -> None:
    sizes: list[tuple[int, ...]] = []

    class Watched(nn.Module):
        def forward(self, x: Tensor, timesteps: Tensor, context: None) -> Tensor:
            assert len(timesteps) == len(x)
            sizes.append(tuple(x.shape))
            return x

    WindowedDenoiser(Watched(), 4, 2, windows_at_once=3)(clips(40, count=5), torch.zeros(1))
    assert {shape[2:] for shape in sizes} == {(4, 4, 6)}
    assert max(shape[0] for shape in sizes) == 3
    assert sum(shape[0] for shape in sizes) == 5 * 19


@pytest.mark.parametrize("scheduler", [RespacedDDIMScheduler(), RespacedDDPMScheduler(variance_type="learned_range")])
def test_a_long_clip_does_not_depend_on_its_batch(scheduler: RespacedDDIMScheduler | RespacedDDPMScheduler) -> None:
    denoiser = WindowedDenoiser(feat(8), 4)
    sampler = ClipSampler(scheduler, (4, 9, 4, 6), 3, seed=1, noise_window=4)
    both, alone = sampler(torch.tensor([3, 8]), denoiser), sampler(torch.tensor([8]), denoiser)
    torch.testing.assert_close(both[1:], alone, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(both[0], both[1], atol=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "window and windows_at_once must be 1 or more, got 0 and 4"),
        ({"window": 4, "windows_at_once": 0}, "got 4 and 0"),
        ({"window": 4, "stride": 5}, "stride must lie in 1 … 4, the frames of a window, got 5"),
        ({"window": 4, "stride": 0}, "got 0"),
    ],
)
def test_sizes_out_of_range(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WindowedDenoiser(nn.Identity(), **options)
