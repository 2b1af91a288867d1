# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of clips as a data set of short clips of one size."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from monai_feat.data.clip_masks import MaskReadings
from monai_feat.data.clip_plan import ClipPlan, ClipPlanner
from monai_feat.data.clip_reading import ClipReader, ReadClips
from monai_feat.data.clip_search import find_clips, find_labelled_clips
from monai_feat.data.datalist import path_of
from monai_feat.data.frame_cache import FrameCache
from monai_feat.data.frame_preparation import FramePreparation
from monai_feat.data.mask_values import Legend
from monai_feat.data.preprocessing import Preprocessing
from monai_feat.data.readers.clip_file import warn_of_remarks
from monai_feat.data.video_reader import VideoReadError
from monai_feat.transforms.functional import Fit, to_unit_range
from monai_feat.transforms.labels import check_label_channels
from monai_feat.transforms.video.functional import FrameSampling, OnShort

__all__ = ["ClipFolderDataset"]

OnBad = Literal["error", "skip"]
_T = TypeVar("_T")


class ClipFolderDataset(Dataset[dict[str, Any]]):
    """Short clips from a folder of videos in any format of `load_clip`, resized and held in memory.

    On construction every video is opened, so that a bad one is noticed at once, and then decoded once, by a process for
    each core. Only the frames that items show are kept, in ``videos x clips_per_video x num_frames x channels x H x W``
    bytes: 20 MB for 100 videos with one clip of 16 RGB frames of 64 x 64. Besides that, each process holds one frame of
    full size at a time, or with `preprocessing` those of a video. Training never waits for a decoder.

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
        cache_dir: folder of a `FrameCache`, in which read frames are kept for the next time; None keeps none.
        on_read: told after each file how many of how many were read; may raise to stop.

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
        cache_dir: str | os.PathLike[str] | None = None,
        on_read: Callable[[int, int], None] | None = None,
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
        self.size: tuple[int, int] = (size, size) if isinstance(size, int) else (size[0], size[1])
        self.num_frames, self.channels, self.clips_per_video = num_frames, channels, clips_per_video
        self.on_bad, self.label_channels, self.transform = on_bad, label_channels, transform
        self.paths: list[Path] = []
        self.masks: list[Path | None] = []
        self.skipped: list[VideoReadError] = []
        self._readings = MaskReadings()
        self._clips: list[Tensor] = []
        self._rates: list[float] = []
        planner = ClipPlanner(num_frames, self.sampling, clips_per_video, on_short, seed)
        preparation = FramePreparation(self.size, channels, fit, label_channels, legend, preprocessing)
        cache = None if cache_dir is None else FrameCache(cache_dir, preparation)
        files = _spread(_pairs(source, bool(label_channels)), max_videos)
        plans = self._plan_all(files, planner)
        self._read_all(plans, ClipReader(preparation, cache), progress, on_read)
        self._warn(files, plans)

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

    def _plan_all(self, files: Sequence[tuple[Path, Path | None]], planner: ClipPlanner) -> list[ClipPlan]:
        """Open all files before the first is decoded: what is wrong with the last ends the work before it begins."""
        plans = (self._plan(planner, path, mask, number) for number, (path, mask) in enumerate(files))
        return [plan for plan in plans if plan is not None]

    def _plan(self, planner: ClipPlanner, path: Path, mask: Path | None, number: int) -> ClipPlan | None:
        try:
            return planner.plan(path, mask, number)
        except VideoReadError as error:
            self._skip(error)
            return None

    def _read_all(
        self, plans: Sequence[ClipPlan], reader: ClipReader, progress: bool, on_read: Callable[[int, int], None] | None
    ) -> None:
        every = 0.2 if sys.stderr.isatty() else 10.0
        bar = tqdm(total=len(plans), desc="reading clips", unit="file", mininterval=every, disable=not progress)
        with bar, closing(reader.read_all(plans)) as results:
            for done, (plan, result) in enumerate(zip(plans, results, strict=True), start=1):
                self._take(plan, result)
                bar.update()
                if on_read is not None:
                    on_read(done, len(plans))

    def _take(self, plan: ClipPlan, result: ReadClips | Exception) -> None:
        if isinstance(result, VideoReadError):
            self._skip(result)
            return
        if isinstance(result, Exception):
            raise result
        if plan.mask is not None and result.mask_reading is not None:
            self._readings.add(result.mask_reading, plan.mask)
        self.paths.append(plan.path)
        self.masks.append(plan.mask)
        self._clips.extend(result.clips)
        self._rates.append(plan.frame_rate)

    def _skip(self, error: VideoReadError) -> None:
        if self.on_bad == "error":
            raise error
        self.skipped.append(error)

    def _warn(self, files: Sequence[tuple[Path, Path | None]], plans: Sequence[ClipPlan]) -> None:
        warn_of_remarks({plan.path: plan.remarks for plan in plans}, stacklevel=3)
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
