# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from evaluation.reading import clips as clips_module
from evaluation.reading.clips import ClipSet, Window, WindowRule, cut_windows
from evaluation.reading.recordings import Recording
from evaluation.reading.sources import Side, SourceOptions, open_side
from monai_feat.data import load_clip
from monai_feat.metrics.features.video_mae import resize_for_cdfvd
from monai_feat.transforms import resize_clip, rgb_to_grey

WriteClips = Callable[..., Path]
OPTIONS = SourceOptions(num_frames=4)


@pytest.fixture
def side(write_clips: WriteClips) -> Side:
    return open_side("REAL", str(write_clips("clips", 5, frames=11)), OPTIONS)


class Still(Recording):
    """One frame."""

    def __init__(self, frame: Tensor) -> None:
        super().__init__("still", "", 1, 0.0, (frame.shape[1], frame.shape[2]), "none")
        self.frame = frame

    def _digest(self) -> str:
        return "0" * 64

    def iter_frames(self, numbers: Sequence[int], size: tuple[int, int]) -> Iterator[Tensor]:
        yield from (self.frame for _ in numbers)


def starts(side: Side, rule: WindowRule, options: SourceOptions = OPTIONS, seed: int = 0) -> list[int]:
    return [window.numbers[0] for window in cut_windows(side, rule, options, seed)]


def test_random_windows_depend_on_content_and_seed_alone(side: Side) -> None:
    found = starts(side, "random")
    assert found == starts(side, "random")
    assert all(0 <= start <= 7 for start in found)
    side.recordings = side.recordings[::-1]
    side.recordings[0].name = "renamed"
    assert starts(side, "random") == found[::-1]
    assert len({tuple(starts(side, "random", seed=seed)) for seed in range(5)}) > 1


def test_random_windows_are_spread_over_the_recording(side: Side) -> None:
    assert {start for seed in range(60) for start in starts(side, "random", seed=seed)} == set(range(8))


def test_rules(side: Side) -> None:
    one = Side("REAL", "", side.recordings[:1])
    assert starts(one, "first") == [0]
    assert starts(one, "cover") == [0, 4, 7]
    every = [window.numbers for window in cut_windows(one, "every", OPTIONS)]
    assert [number for numbers in every for number in numbers] == list(range(11))
    assert starts(one, "cover", SourceOptions(num_frames=4, stride=2)) == [0, 4]
    assert cut_windows(one, "cover", OPTIONS)[1].name == f"{one.recordings[0].name}@4"


def test_clips_are_prepared_by_the_one_resampler(side: Side) -> None:
    clips = ClipSet(side, cut_windows(side, "first", OPTIONS), (16, 24), channels=3)
    expected = resize_clip(load_clip(side.recordings[2].path, num_frames=4).as_tensor(), (16, 24))  # type: ignore[attr-defined]
    torch.testing.assert_close(clips[2], expected)
    grey = ClipSet(side, cut_windows(side, "first", OPTIONS), (16, 24), channels=1)
    torch.testing.assert_close(grey[2], rgb_to_grey(expected))
    assert len(clips[1:4]) == 3
    assert len(list(clips)) == 5


def test_the_resampler_of_cd_fvd(side: Side) -> None:
    clips = ClipSet(side, cut_windows(side, "first", OPTIONS), (48, 48), 3, resampler="cd_fvd")
    stored = load_clip(side.recordings[0].path, num_frames=4).as_tensor()  # type: ignore[attr-defined]
    torch.testing.assert_close(clips[0], resize_for_cdfvd(stored[None], 48)[0])


def test_pillow_squashes_frames_as_endora_does(side: Side) -> None:
    clips = ClipSet(side, cut_windows(side, "first", OPTIONS), (20, 12), 3, "squash", "pil_bicubic")
    frames = load_clip(side.recordings[1].path, num_frames=4).as_tensor().permute(1, 2, 3, 0)  # type: ignore[attr-defined]
    for found, frame in zip(clips[1].permute(1, 2, 3, 0), frames, strict=True):
        expected = np.asarray(Image.fromarray(frame.numpy()).resize((12, 20), Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(found.numpy(), expected)


def test_squashing_keeps_what_cropping_cuts_off() -> None:
    frame = torch.zeros(1, 16, 32, dtype=torch.uint8)
    frame[..., :8] = 200  # a quarter of the width, at the left
    side = Side("REAL", "", [Still(frame)])
    windows = [Window(0, (0,), "still")]
    squashed = ClipSet(side, windows, (16, 16), channels=1, fit="squash")[0]
    cropped = ClipSet(side, windows, (16, 16), channels=1, fit="crop")[0]
    assert squashed.float().mean() == pytest.approx(50, abs=2)
    assert cropped.amax() == 0


def test_frames_go_through_jpeg_where_it_is_asked_for(side: Side) -> None:
    windows = cut_windows(side, "first", OPTIONS)
    plain, saved, coarse = (ClipSet(side, windows, (16, 24), 3, jpeg_quality=q)[0] for q in (None, 75, 5))
    buffer = io.BytesIO()
    Image.fromarray(plain[:, 0].permute(1, 2, 0).contiguous().numpy()).save(buffer, "JPEG")  # Pillow's usual is 75
    np.testing.assert_array_equal(saved[:, 0].permute(1, 2, 0).numpy(), np.asarray(Image.open(buffer)))
    assert (coarse.float() - plain.float()).abs().mean() > (saved.float() - plain.float()).abs().mean() > 0


def test_grey_is_repeated_for_rgb() -> None:
    phantoms = open_side("REAL", "phantom:ultrasound", SourceOptions(num_frames=2, max_clips=2))
    windows = cut_windows(phantoms, "random", SourceOptions(num_frames=2))
    rgb = ClipSet(phantoms, windows, (32, 32), channels=3)[0]
    assert torch.equal(rgb[0], rgb[2])


def test_memory_is_bounded(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips_module, "KEEP_BYTES", 2 * 3 * 4 * 32 * 32)
    clips = ClipSet(side, cut_windows(side, "first", OPTIONS), (32, 32), channels=3)
    first = [clip.clone() for clip in clips]
    assert len(clips._kept) == 2
    assert all(torch.equal(a, b) for a, b in zip(first, clips, strict=True))


def test_frame_rates_count_the_stride(side: Side) -> None:
    options = SourceOptions(num_frames=4, stride=2)
    assert ClipSet(side, cut_windows(side, "first", options), (32, 32), 3).frame_rate(0) == 5.0
