# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of clips as a data set of short clips of one size."""

from __future__ import annotations

import math
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from monai.data import MetaTensor
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.dicom import is_dicom
from monai_feat.data.readers.frame_folder import is_frame_folder, natural_key
from monai_feat.data.readers.load import CLIP_FILE_SUFFIXES, clip_meta, open_clip
from monai_feat.data.video_reader import STILL_SUFFIXES, VIDEO_SUFFIXES, VideoReadError
from monai_feat.transforms.functional import Fit, resize_clip, rgb_to_grey, to_unit_range
from monai_feat.transforms.video.functional import FrameSampling, OnShort, frame_offsets, to_and_fro

__all__ = ["ClipFolderDataset", "find_clips"]

OnBad = Literal["error", "skip"]

_SUFFIXES = VIDEO_SUFFIXES + STILL_SUFFIXES + CLIP_FILE_SUFFIXES
_PICTURE_FOLDERS = ("frames", "image", "images", "pictures", "videos")
_MASK_FOLDERS = ("annotation", "annotations", "label", "labels", "mask", "masks", "segmentation", "segmentations")
_MOST_AT_ONCE = 128 * 2**20  # bytes of full-size frames that preprocessing sees together


def find_clips(folder: str | os.PathLike[str]) -> list[Path]:
    """List the clips in a folder and all folders below it, in natural order (``2.mp4`` before ``10.mp4``).

    Files are recognised by suffix, in upper or lower case, and DICOM files without suffix by content; hidden files are
    left out. A folder below the given one whose images are counted up without a gap (``0001.jpg``, ``0002.jpg``) is one
    clip, its path; other images, and all that lie in the given folder itself, are clips of one frame. Folders of masks
    beside one of pictures (``masks`` beside ``images``) are left out, with a warning; give such a folder itself to have
    its masks read as clips.

    Args:
        folder: a folder; or one file, which is returned as it is.

    Returns:
        At least one path.

    Raises:
        FileNotFoundError: there is no such folder, or no clip in it; says what was looked for and what was found.
    """
    folder = Path(folder)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected a folder of clips, or one clip")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    files = _without_masks(files, folder)
    frame_folders = {parent for parent in {path.parent for path in files} - {folder} if is_frame_folder(parent)}
    clips = [path for path in files if path.parent not in frame_folders and _looks_like_a_clip(path)]
    clips.extend(frame_folders)
    if not clips:
        found = Counter(path.suffix.lower() or "without suffix" for path in files)
        there = ", ".join(f"{count} x {suffix}" for suffix, count in found.most_common(8)) or "no file at all"
        looked_for = " ".join(_SUFFIXES)
        raise FileNotFoundError(f"{folder}: no clips in this folder or below; looked for {looked_for}; found {there}")
    return sorted(clips, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


class ClipFolderDataset(Dataset[dict[str, Any]]):
    """Short clips from a folder of videos in any format of `load_clip`, resized and held in memory.

    Every video is decoded once, on construction, and only the frames that items show are kept, in
    ``videos x clips_per_video x num_frames x channels x H x W`` bytes: 20 MB for 100 videos with one clip of 16 RGB
    frames of 64 x 64. Besides that, one frame of full size is held at a time. Training never waits for a decoder.

    Item ``i`` is clip ``i % clips_per_video`` of video ``i // clips_per_video``. Where it starts depends on the seed,
    the video's place in the folder and the clip's number, not on the epoch; the clips of one video are spread over its
    length. An item is a dict: ``image``, float32 in [-1, 1], ``(C, T, H, W)``; ``frame_rate``, Hz between its frames,
    0.0 for stills; ``source``, the file.

    Args:
        folder: searched by `find_clips`.
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
        preprocessing: applied once to the frames taken from each video, at full size, before they are resized: an array
            transform such as `CropToFieldOfView` or a `Compose` of them, that maps a uint8 MetaTensor ``(C, T, H, W)``
            to one of the same T. Detectors see all of these frames together.
        transform: applied to each item.
        max_videos: read no more files than this, evenly spread over the folder; None reads all.
        progress: show a progress bar while reading.

    Attributes:
        paths: the files that items come from.
        skipped: the errors of the files that were left out.

    Raises:
        FileNotFoundError: there are no clips.
        VideoReadError: a file cannot be read or is too short, or all were skipped.
        ValueError: an argument is not as described.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
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
        preprocessing: Callable[[MetaTensor], Tensor] | None = None,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        max_videos: int | None = None,
        progress: bool = True,
    ) -> None:
        _check_choice("fit", fit, get_args(Fit))
        _check_choice("on_bad", on_bad, get_args(OnBad))
        _check_choice("on_short", on_short, get_args(OnShort))
        _check_choice("channels", channels, (1, 3))
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
        self.paths: list[Path] = []
        self.skipped: list[VideoReadError] = []
        self._clips: list[Tensor] = []
        self._rates: list[float] = []
        self._read_all(_spread(find_clips(folder), max_videos), progress)

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Any:
        video = range(len(self))[index] // self.clips_per_video
        item = {
            "image": to_unit_range(self._clips[index]),
            "frame_rate": self._rates[video],
            "source": str(self.paths[video]),
        }
        return item if self.transform is None else self.transform(item)

    def _read_all(self, paths: Sequence[Path], progress: bool) -> None:
        for number, path in enumerate(tqdm(paths, desc="reading clips", unit="file", disable=not progress)):
            self._add(path, number)
        if not self.skipped:
            return
        reasons = "\n  ".join(str(error) for error in self.skipped)
        summary = f"{len(self.skipped)} of {len(paths)} files were skipped (on_bad='skip'):\n  {reasons}"
        if not self.paths:
            raise VideoReadError(paths[0].parent, f"no file could be used; {summary}")
        warnings.warn(summary, stacklevel=3)

    def _add(self, path: Path, number: int) -> None:
        try:
            clips, rate = self._read(path, number)
        except VideoReadError as error:
            if self.on_bad == "error":
                raise
            self.skipped.append(error)
            return
        self.paths.append(path)
        self._clips.extend(clips)
        self._rates.append(rate)

    def _read(self, path: Path, number: int) -> tuple[Tensor, float]:
        """All clips of the `number`-th video, uint8 ``(clips_per_video, C, T, H, W)``, and their frame rate."""
        file = open_clip(path)
        step = self._step(file)
        windows = torch.stack([self._window(file, step, number, clip) for clip in range(self.clips_per_video)])
        # Small tensors that outlive large ones would fragment the heap by a gigabyte: all room is taken beforehand.
        clips = torch.empty(self.clips_per_video, self.channels, self.num_frames, *self.size, dtype=torch.uint8)
        for part in self._parts(windows, file):
            wanted = windows[part].unique().tolist()
            for i, frame in zip(wanted, self._frames(file, wanted), strict=True):
                prepared = self._prepare(frame)
                for clip, t in (windows[part] == i).nonzero().tolist():
                    clips[part][clip, :, t] = prepared
        return clips, file.frame_rate / step

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

    def _frames(self, file: ClipFile, wanted: Sequence[int]) -> Iterable[Tensor]:
        """The wanted frames, ``(C, H, W)``, after preprocessing."""
        frames = file.iter_frames(wanted)
        if self.preprocessing is None:
            return frames
        clip = torch.stack(list(frames), dim=1)  # (C, T, H, W)
        meta = clip_meta(file, tuple(clip.shape), start=wanted[0])
        try:
            prepared = self.preprocessing(MetaTensor(clip, meta=meta))
        except Exception as error:
            raise RuntimeError(f"{file.path}: preprocessing of {tuple(clip.shape)} failed") from error
        if prepared.dtype != torch.uint8 or prepared.ndim != 4 or prepared.shape[1] != len(wanted):
            raise ValueError(
                f"preprocessing made {prepared.dtype} {tuple(prepared.shape)} of uint8 {tuple(clip.shape)}: expected "
                "uint8 (C, T, H, W) with as many frames; what changes range or time belongs elsewhere"
            )
        return torch.as_tensor(prepared).unbind(1)

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

    def _prepare(self, frame: Tensor) -> Tensor:
        """One frame, ``(3, H, W)`` or grey ``(1, H, W)``, in the size and the channels of this data set."""
        resized = resize_clip(frame, self.size, self.fit)
        if self.channels == len(resized):
            return resized
        return resized.expand(3, -1, -1) if self.channels == 3 else rgb_to_grey(resized)


def _without_masks(files: Sequence[Path], folder: Path) -> list[Path]:
    """The files that do not lie in a folder of masks beside one of pictures."""
    inside = {parent for path in files for parent in path.relative_to(folder).parents}
    beside = {parent for parent in inside if parent.name.lower() in _PICTURE_FOLDERS}
    masks = {
        parent
        for parent in inside
        if parent.name.lower() in _MASK_FOLDERS and any(parent.parent == other.parent for other in beside)
    }
    kept = [path for path in files if masks.isdisjoint(path.relative_to(folder).parents)]
    if len(kept) < len(files):
        names = ", ".join(sorted(str(folder / mask) for mask in masks))
        warnings.warn(f"{len(files) - len(kept)} files are taken for masks and left out: {names}", stacklevel=3)
    return kept


def _spread(paths: Sequence[Path], number: int | None) -> Sequence[Path]:
    """At most so many of the paths, evenly spaced."""
    if number is None or number >= len(paths):
        return paths
    return [paths[index * len(paths) // number] for index in range(number)]


def _looks_like_a_clip(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES) or (not path.suffix and is_dicom(path))


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ValueError(f"expected {name} to be one of {tuple(choices)}, got {value!r}")
