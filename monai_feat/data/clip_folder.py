# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of clips as a data set of short clips of one size."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from monai_feat.data.clip_masks import MaskFile, MaskReadings, crop_like, crop_of
from monai_feat.data.clip_search import find_clips, find_labelled_clips
from monai_feat.data.datalist import path_of
from monai_feat.data.mask_values import Legend
from monai_feat.data.preprocessing import Preprocessing, preprocess_frames
from monai_feat.data.readers.clip_file import ClipFile, warn_of_remarks
from monai_feat.data.readers.load import open_clip
from monai_feat.data.video_reader import VideoReadError
from monai_feat.transforms.functional import Fit, resize_clip, to_channels, to_unit_range
from monai_feat.transforms.labels import UNKNOWN_LABEL, check_label_channels
from monai_feat.transforms.video.functional import FrameSampling, OnShort, frame_offsets, resize_labels, to_and_fro

__all__ = ["ClipFolderDataset"]

OnBad = Literal["error", "skip"]
_T = TypeVar("_T")

_MOST_AT_ONCE = 128 * 2**20  # bytes of full-size frames that preprocessing sees together


class ClipFolderDataset(Dataset[dict[str, Any]]):
    """Short clips from a folder of videos in any format of `load_clip`, resized and held in memory.

    Every video is decoded once, on construction, and only the frames that items show are kept, in
    ``videos x clips_per_video x num_frames x channels x H x W`` bytes: 20 MB for 100 videos with one clip of 16 RGB
    frames of 64 x 64. Besides that, one frame of full size is held at a time. Training never waits for a decoder.

    Item ``i`` is clip ``i % clips_per_video`` of video ``i // clips_per_video``. Where it starts depends on the seed,
    the video's place in the folder and the clip's number, not on the epoch; the clips of one video are spread over its
    length. An item is a dict: ``image``, float32 in [-1, 1], ``(C, T, H, W)``; ``frame_rate``, Hz between its frames,
    0.0 for stills; ``source``, the file; and with `label_channels` ``label``, the classes, uint8 ``(1, T, H, W)``.

    Args:
        source: a folder, searched by `find_clips`; a datalist (``.json``), for its training clips; or a list of dicts
            with the paths ``image`` and, where there is a mask, ``label``.
        num_frames: frames T of each clip.
        size: ``(H, W)`` in pixels, or one integer for a square.
        channels: 3 for RGB, 1 for grey (luma).
        stride: step between frames, in frames of the file.
        frame_rate: frames per second that items shall have, made by taking the nearest frames of the file; an
            alternative to `stride`. Stills have no rate and are taken as they are.
        clips_per_video: clips taken from each video.
        fit: ``"crop"`` fills the frame and cuts off what protrudes; ``"pad"`` keeps the whole picture, on black.
        on_bad: ``"error"`` stops at the first file that cannot be used; ``"skip"`` leaves it out and warns, by name.
        on_short: ``"error"`` treats a video with too few frames as a bad file; ``"loop"`` plays it to and fro.
        seed: non-negative seed of the starting frames.
        label_channels: number of classes of the masks that `find_labelled_clips` finds, the background among them; 0
            reads no masks. They follow `preprocessing` where it crops. A clip without one has the label
            `monai_feat.transforms.UNKNOWN_LABEL`; how many there are is said in a warning.
        legend: what the values or colours of masks stand for, where `read_values` does not understand them by itself:
            ``{0: 0, 20: 1}`` or ``{"#ff0000": 2, 255: 255}``, with 255 as the class of unknown pixels.
        preprocessing: applied once to the frames taken from each video, at full size, before they are resized: an array
            transform such as `CropToFieldOfView` or a `Compose` of them, that maps a uint8 MetaTensor ``(C, T, H, W)``
            to one of the same T. Detectors see all of these frames together.
        transform: applied to each item.
        max_videos: read no more files than this, evenly spread over the folder; None reads all.
        progress: show a progress bar while reading.

    Attributes:
        paths: the files that items come from.
        masks: the file of the mask for each of them, or None.
        skipped: the errors of the files that were left out.

    Raises:
        FileNotFoundError: there are no clips, or no masks where they are asked for.
        DatalistError: masks are not read in the same way.
        VideoReadError: a file cannot be read or is too short, a mask does not fit its clip, or all were skipped.
        ValueError: an argument is not as described.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Sequence[Mapping[str, Any]],
        num_frames: int = 16,
        size: int | Sequence[int] = (64, 64),
        channels: int = 3,
        stride: int = 1,
        frame_rate: float | None = None,
        clips_per_video: int = 1,
        fit: Fit = "crop",
        on_bad: OnBad = "error",
        on_short: OnShort = "error",
        seed: int = 0,
        label_channels: int = 0,
        legend: Legend | None = None,
        preprocessing: Preprocessing | None = None,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        max_videos: int | None = None,
        progress: bool = True,
    ) -> None:
        _check_choice("fit", fit, get_args(Fit))
        _check_choice("on_bad", on_bad, get_args(OnBad))
        _check_choice("on_short", on_short, get_args(OnShort))
        _check_choice("channels", channels, (1, 3))
        if label_channels:
            check_label_channels(label_channels)
        if min(clips_per_video, 1 if max_videos is None else max_videos) < 1 or seed < 0:
            raise ValueError(
                "expected clips_per_video and max_videos >= 1 and seed >= 0; "
                f"got {clips_per_video}, {max_videos} and {seed}"
            )
        self.sampling = FrameSampling(num_frames, stride=stride, frame_rate=frame_rate)
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.num_frames, self.channels, self.clips_per_video = num_frames, channels, clips_per_video
        self.fit, self.on_bad, self.on_short = fit, on_bad, on_short
        self.seed, self.preprocessing, self.transform = seed, preprocessing, transform
        self.label_channels, self.legend, self._readings = label_channels, legend, MaskReadings()
        self._remarks: dict[Path, Sequence[str]] = {}
        self.paths: list[Path] = []
        self.masks: list[Path | None] = []
        self.skipped: list[VideoReadError] = []
        self._clips: list[Tensor] = []
        self._rates: list[float] = []
        self._read_all(_spread(_pairs(source, bool(label_channels)), max_videos), progress)

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Any:
        video = range(len(self))[index] // self.clips_per_video
        item = {
            "image": to_unit_range(self._clips[index][: self.channels]),
            "frame_rate": self._rates[video],
            "source": str(self.paths[video]),
        }
        if self.label_channels:
            item["label"] = self._clips[index][self.channels :]
        return item if self.transform is None else self.transform(item)

    def _read_all(self, files: Sequence[tuple[Path, Path | None]], progress: bool) -> None:
        for number, (path, mask) in enumerate(tqdm(files, desc="reading clips", unit="file", disable=not progress)):
            self._add(path, mask, number)
        warn_of_remarks(self._remarks, stacklevel=3)
        without = self.masks.count(None)
        if self.label_channels and without:
            warnings.warn(f"{without} of {len(self.masks)} clips have no mask: their label is unknown", stacklevel=3)
        if not self.skipped:
            return
        reasons = "\n  ".join(str(error) for error in self.skipped)
        summary = f"{len(self.skipped)} of {len(files)} files were skipped (on_bad='skip'):\n  {reasons}"
        if not self.paths:
            raise VideoReadError(files[0][0].parent, f"no file could be used; {summary}")
        warnings.warn(summary, stacklevel=3)

    def _add(self, path: Path, mask: Path | None, number: int) -> None:
        try:
            clips, rate = self._read(path, mask, number)
        except VideoReadError as error:
            if self.on_bad == "error":
                raise
            self.skipped.append(error)
            return
        self.paths.append(path)
        self.masks.append(mask)
        self._clips.extend(clips)
        self._rates.append(rate)

    def _read(self, path: Path, mask_path: Path | None, number: int) -> tuple[Tensor, float]:
        """All clips of the `number`-th video, uint8 ``(clips_per_video, C, T, H, W)``, and their frame rate.

        With masks, their classes are one channel more.
        """
        file = open_clip(path)
        self._remarks[path] = file.remarks
        mask = None if mask_path is None else self._open_mask(mask_path, file)
        step = self._step(file)
        windows = torch.stack([self._window(file, step, number, clip) for clip in range(self.clips_per_video)])
        # Small tensors that outlive large ones would fragment the heap by a gigabyte: all room is taken beforehand.
        channels = self.channels + bool(self.label_channels)
        clips = torch.empty(self.clips_per_video, channels, self.num_frames, *self.size, dtype=torch.uint8)
        for part in self._parts(windows, file):
            wanted = windows[part].unique().tolist()
            for i, (frame, classes) in zip(wanted, self._frames(file, mask, wanted), strict=True):
                prepared = self._prepare(frame, classes)
                for clip, t in (windows[part] == i).nonzero().tolist():
                    clips[part][clip, :, t] = prepared
        return clips, file.frame_rate / step

    def _open_mask(self, path: Path, clip: ClipFile) -> MaskFile:
        mask = MaskFile(path, clip, self.label_channels, self.legend)
        self._readings.add(mask)
        return mask

    def _parts(self, windows: Tensor, file: ClipFile) -> Iterator[slice]:
        """Split clips, as frame numbers ``(clips_per_video, T)``, so that the frames of each part fit into memory."""
        if self.preprocessing is None:
            yield slice(None)
            return
        most = _MOST_AT_ONCE // (3 * math.prod(file.size))
        start = 0
        for stop in range(1, len(windows) + 1):
            if stop == len(windows) or len(windows[start : stop + 1].unique()) > most:
                yield slice(start, stop)
                start = stop

    def _frames(
        self, file: ClipFile, mask: MaskFile | None, wanted: Sequence[int]
    ) -> Iterable[tuple[Tensor, Tensor | None]]:
        """The wanted frames, ``(C, H, W)``, after preprocessing, and their classes, ``(1, H, W)``, if there are any."""
        frames = file.iter_frames(wanted)
        classes: Iterable[Tensor | None] = repeat(None, len(wanted)) if mask is None else mask.iter_frames(wanted)
        if self.preprocessing is None:
            return zip(frames, classes, strict=True)
        before, after = preprocess_frames(self.preprocessing, list(frames), file, wanted[0])
        if mask is not None:
            box = crop_of(before, after)
            classes = (crop_like(frame, box) for frame in mask.iter_frames(wanted))
        return zip(torch.as_tensor(after).unbind(1), classes, strict=True)

    def _step(self, file: ClipFile) -> float:
        """Frames of the file from one frame of a clip to the next."""
        if file.frame_rate == 0 and file.frames == 1:  # a still has no rate, and needs none
            return float(self.sampling.stride)
        try:
            return self.sampling.step(file.frame_rate)
        except ValueError as error:
            raise VideoReadError(file.path, str(error)) from error

    def _window(self, file: ClipFile, step: float, number: int, clip: int) -> Tensor:
        """Frame numbers of one clip."""
        offsets = frame_offsets(self.num_frames, step)
        available, needed = file.frames, int(offsets[-1]) + 1
        if available < needed:
            if self.on_short == "loop":
                return to_and_fro(offsets, available)
            raise VideoReadError(
                file.path,
                f"has {available} frames; {needed} are needed for {self.num_frames} frames at this stride or rate: "
                "ask for fewer frames or a smaller stride, leave the file out, or set on_short='loop'",
            )
        # Each clip starts somewhere in its own part of the video, so that together they show all of it.
        shift = np.random.default_rng([self.seed, number, clip]).random()
        return offsets + int((clip + shift) / self.clips_per_video * (available - needed + 1))

    def _prepare(self, frame: Tensor, classes: Tensor | None) -> Tensor:
        """One frame, ``(3, H, W)`` or grey ``(1, H, W)``, in the size and the channels of this data set."""
        pixels = to_channels(resize_clip(frame, self.size, self.fit), self.channels)
        if not self.label_channels:
            return pixels
        unknown = pixels.new_full((1, *self.size), UNKNOWN_LABEL)
        return torch.cat([pixels, unknown if classes is None else resize_labels(classes, self.size, self.fit)])


def _pairs(
    source: str | os.PathLike[str] | Sequence[Mapping[str, Any]], with_masks: bool
) -> list[tuple[Path, Path | None]]:
    """Return the files of a source, and their masks."""
    if isinstance(source, (str, os.PathLike)):
        return list((find_labelled_clips(source) if with_masks else dict.fromkeys(find_clips(source))).items())
    if not source:
        raise ValueError("expected a folder, or a list of at least one clip; got an empty list")
    return [(path_of(item, "image"), path_of(item, "label") if "label" in item else None) for item in source]


def _spread(paths: Sequence[_T], number: int | None) -> Sequence[_T]:
    """At most so many of the paths, evenly spaced."""
    if number is None or number >= len(paths):
        return paths
    return [paths[index * len(paths) // number] for index in range(number)]


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ValueError(f"expected {name} to be one of {tuple(choices)}, got {value!r}")
