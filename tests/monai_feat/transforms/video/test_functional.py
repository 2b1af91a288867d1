# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from monai_feat.data import endoscopy_phantom
from monai_feat.transforms.functional import resize_clip, to_unit_range
from monai_feat.transforms.video.functional import (
    FrameSampling,
    detect_greyness,
    frame_offsets,
    resample_frame_rate,
    resize_labels,
    sample_times,
    to_and_fro,
)


def ramp(frames: int) -> torch.Tensor:
    return torch.arange(frames, dtype=torch.float32).reshape(1, frames, 1, 1).expand(1, frames, 2, 3)


@pytest.mark.parametrize(
    ("sampling", "rate", "expected"),
    [
        (FrameSampling(num_frames=4), None, [0, 1, 2, 3]),
        (FrameSampling(num_frames=3, stride=5), 25.0, [0, 5, 10]),
        (FrameSampling(num_frames=4, frame_rate=10.0), 25.0, [0, 3, 5, 8]),
        (FrameSampling(seconds=0.4, frame_rate=10.0), 30.0, [0, 3, 6, 9]),
        (FrameSampling(seconds=0.5, stride=2), 8.0, [0, 2]),
    ],
)
def test_frames_of_a_sampling(sampling: FrameSampling, rate: float | None, expected: list[int]) -> None:
    assert sampling.offsets(rate).tolist() == expected


def test_offsets_are_the_nearest_frames() -> None:
    step = Fraction(25, 7)
    exact = [int(j * step + Fraction(1, 2)) for j in range(50)]
    assert frame_offsets(50, float(step)).tolist() == exact


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "one of them"),
        ({"num_frames": 4, "seconds": 1.0}, "one of them"),
        ({"num_frames": 0}, "num_frames >= 1"),
        ({"num_frames": 4, "stride": 0}, "stride >= 1"),
        ({"num_frames": 4, "stride": 2, "frame_rate": 5.0}, "no stride"),
    ],
)
def test_impossible_samplings_are_refused(arguments: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        FrameSampling(**arguments)  # type: ignore[arg-type]


def test_a_rate_that_is_needed_and_missing_or_too_low_is_named() -> None:
    with pytest.raises(ValueError, match="frame_rate needs the clip's frame rate"):
        FrameSampling(num_frames=2, frame_rate=10.0).offsets(None)
    with pytest.raises(ValueError, match="seconds needs"):
        FrameSampling(seconds=1.0).offsets(0.0)
    with pytest.raises(ValueError, match=r"8 frames per second, 10 were asked for"):
        FrameSampling(num_frames=2, frame_rate=10.0).offsets(8.0)


def test_to_and_fro() -> None:
    assert to_and_fro(torch.arange(7), 3).tolist() == [0, 1, 2, 1, 0, 1, 2]
    assert to_and_fro(torch.arange(3), 1).tolist() == [0, 0, 0]


def test_nearest_takes_the_frames_that_sampling_takes() -> None:
    resampled = resample_frame_rate(ramp(20), 25.0, 10.0, "nearest")[0, :, 0, 0]
    assert resampled.tolist() == FrameSampling(num_frames=8, frame_rate=10.0).offsets(25.0).tolist()


@pytest.mark.parametrize(("source", "target"), [(25.0, 10.0), (30.0, 7.0), (10.0, 25.0), (12.0, 12.0)])
def test_area_agrees_with_averaging_fine_samples(source: float, target: float) -> None:
    clip = torch.rand(1, 9, 1, 1)
    result = resample_frame_rate(clip, source, target, "area")[0, :, 0, 0].numpy()
    step = source / target
    for j, value in enumerate(result):
        times = (j - 0.5) * step + (np.arange(20000) + 0.5) / 20000 * step
        shown = np.floor(times + 0.5).astype(int)
        seen = shown[(shown >= 0) & (shown < 9)]
        assert value == pytest.approx(float(clip[0, seen, 0, 0].mean()), abs=2e-4)


def test_area_does_not_alias_and_nearest_does() -> None:
    flicker = torch.tensor([0, 200] * 12, dtype=torch.uint8).reshape(1, 24, 1, 1)
    averaged, taken = (resample_frame_rate(flicker, 24.0, 6.0, name)[:, 1:] for name in ("area", "nearest"))
    assert (averaged == 100).all()
    assert (taken == 0).all()


def test_same_rate_is_the_same_clip_and_duration_stays() -> None:
    clip = torch.randint(0, 256, (3, 11, 4, 5), dtype=torch.uint8)
    for name in ("area", "nearest"):
        assert torch.equal(resample_frame_rate(clip, 13.0, 13.0, name), clip)
    assert resample_frame_rate(clip, 10.0, 20.0).shape[1] == 21
    assert resample_frame_rate(clip[:, :1], 30.0, 1.0).shape[1] == 1


def test_impossible_resampling_is_refused() -> None:
    with pytest.raises(ValueError, match="'linear'"):
        resample_frame_rate(ramp(3), 2.0, 1.0, "linear")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above 0 Hz"):
        resample_frame_rate(ramp(3), 0.0, 1.0)
    with pytest.raises(ValueError, match=r"\(C, T, H, W\)"):
        resample_frame_rate(torch.zeros(3, 4, 4), 2.0, 1.0)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_labels_lie_where_the_picture_does(fit: str) -> None:
    labels = torch.zeros(1, 2, 40, 60, dtype=torch.int64)
    labels[..., 8:24, 10:34], labels[..., 24:36, 30:50] = 3, 7
    small = resize_labels(labels, 20, fit)  # type: ignore[arg-type]
    assert small.dtype == labels.dtype
    assert set(small.unique().tolist()) == {0, 3, 7}
    share = resize_clip((labels == 3).float(), 20, fit)  # type: ignore[arg-type]
    assert torch.equal(small == 3, share > 0.5) or ((small == 3) != (share > 0.5)).float().mean() < 0.02
    with pytest.raises(ValueError, match="one channel"):
        resize_labels(torch.zeros(3, 2, 8, 8), 4)


def grey_as_rgb(noise: int) -> torch.Tensor:
    grey = torch.randint(0, 256, (1, 3, 32, 32)).expand(3, -1, -1, -1)
    return (grey + torch.randint(-noise, noise + 1, (3, 3, 32, 32))).clamp(0, 255).to(torch.uint8)


def test_grey_with_codec_noise_is_grey_and_colour_is_not() -> None:
    assert detect_greyness(grey_as_rgb(6)).confidence == 1
    assert detect_greyness(endoscopy_phantom(0, 32, 2).image).confidence == 0
    assert detect_greyness(torch.zeros(1, 1, 4, 4, dtype=torch.uint8)).confidence == 1


def test_colour_in_one_frame_is_colour_and_a_logo_is_not() -> None:
    doppler, logo = grey_as_rgb(0), grey_as_rgb(0)
    doppler[0, 1, 4:12, 4:12] = 255
    doppler[2, 1, 4:12, 4:12] = 0
    logo[0, :, 0, 0], logo[2, :, 0, 0] = 255, 0
    assert detect_greyness(doppler).confidence == 0
    assert detect_greyness(logo).confidence > 0.5
    assert detect_greyness(doppler).coloured == pytest.approx(64 / 1024, rel=0.6)


def test_greyness_does_not_depend_on_type_or_mirroring() -> None:
    clip = grey_as_rgb(14)
    assert detect_greyness(to_unit_range(clip)).confidence == pytest.approx(detect_greyness(clip).confidence)
    assert detect_greyness(clip.flip(-1)).confidence == pytest.approx(detect_greyness(clip).confidence)
    with pytest.raises(ValueError, match="C = 1 or 3"):
        detect_greyness(torch.zeros(2, 1, 4, 4))


def test_times_reach_both_ends() -> None:
    assert sample_times(100, 3).tolist() == [0, 50, 99]
    assert sample_times(2, 8).tolist() == [0, 1]
