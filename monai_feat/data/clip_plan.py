# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which frames of a file make its clips: decided from what the file says about itself, before anything is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, stack

from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.load import open_clip
from monai_feat.data.video_reader import VideoReadError
from monai_feat.transforms.video.functional import FrameSampling, OnShort, frame_offsets, to_and_fro

__all__ = ["ClipPlan", "ClipPlanner"]


@dataclass(frozen=True)
class ClipPlan:
    """The clips of one file, opened but not decoded.

    Attributes:
        path: the file.
        mask: the file of its mask, if it has one.
        windows: numbers of the frames of each clip, ``(K, T)``.
        frame_rate: Hz between the frames of a clip; 0.0 for stills.
        size: rows and columns of the file's frames.
        remarks: see `ClipFile`.
    """

    path: Path
    mask: Path | None
    windows: Tensor
    frame_rate: float
    size: tuple[int, int]
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class ClipPlanner:
    """Chooses the frames of clips.

    Attributes:
        num_frames: frames T of a clip.
        sampling: the step or the rate between them.
        clips_per_video: clips of each file, spread over its length.
        on_short: ``error``, or ``loop`` to play a file with too few frames to and fro.
        seed: decides where clips start, together with the number of the file and of the clip.
    """

    num_frames: int
    sampling: FrameSampling
    clips_per_video: int = 1
    on_short: OnShort = "error"
    seed: int = 0

    def plan(self, path: Path, mask: Path | None, number: int) -> ClipPlan:
        """Open the `number`-th file, and choose the frames of its clips.

        Raises:
            VideoReadError: it cannot be opened, has too few frames, or no frame rate where one is asked for.
        """
        file = open_clip(path)
        step = self._step(file)
        windows = stack([self._window(file, step, number, clip) for clip in range(self.clips_per_video)])
        return ClipPlan(path, mask, windows, file.frame_rate / step, file.size, file.remarks)

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
                f"has {available} frames; {needed} are needed for {self.num_frames} frames at this stride or "
                "rate: ask for fewer frames or a smaller stride, leave the file out, or set on_short='loop'",
            )
        # Each clip starts somewhere in its own part of the video, so that together they show all of it.
        shift = np.random.default_rng([self.seed, number, clip]).random()
        return offsets + int((clip + shift) / self.clips_per_video * (available - needed + 1))
