# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips as tensors, from video files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt
import torch
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from torch import Tensor

from monai_feat.data.frame_numbers import check_numbers, read_frames
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.suffixes import STILL_SUFFIXES, VIDEO_SUFFIXES
from monai_feat.data.video_index import FrameIndex, frame_index
from monai_feat.data.video_stream import decode_frames

__all__ = [
    "STILL_SUFFIXES",
    "VIDEO_SUFFIXES",
    "VideoInfo",
    "VideoReadError",
    "iter_frames",
    "probe_video",
    "read_video",
]

# PyAV from 17 on starts a thread for every core and every picture unless it is told not to; before, it starts none.
_ONE_THREAD: dict[str, Any] = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}


@dataclass(frozen=True)
class VideoInfo:
    """What a file holds.

    Attributes:
        frames: number of frames, counted, not estimated from the duration.
        frame_rate: mean frame rate in Hz; 0.0 where the file has none.
        height: rows in pixels, as shown.
        width: columns in pixels, as shown.
        duration: seconds, ``frames / frame_rate``; 0.0 where there is no rate.
        codec: FFmpeg's name of the codec, e.g. ``"h264"``.
        remarks: what a viewer would do to the frames that `read_video` does not.
    """

    frames: int
    frame_rate: float
    height: int
    width: int
    duration: float
    codec: str
    remarks: tuple[str, ...] = ()


def probe_video(path: str | os.PathLike[str]) -> VideoInfo:
    """Count the frames of a clip and read its rate, size and codec.

    Reads the packets without decoding them where the container times every picture, and decodes otherwise (MPEG program
    streams, some AVI files). The result is remembered until the file changes.

    Args:
        path: a video.

    Returns:
        The facts of the file's first video stream.

    Raises:
        VideoReadError: the file is missing, empty, no video, truncated, damaged or without a frame.
    """
    index = frame_index(path)
    duration = index.frames / index.frame_rate if index.frame_rate else 0.0
    height, width = _shown_size(index)
    return VideoInfo(index.frames, index.frame_rate, height, width, duration, index.codec, index.remarks)


def read_video(path: str | os.PathLike[str], start: int = 0, num_frames: int | None = None, stride: int = 1) -> Tensor:
    """Read frames ``start, start + stride, …`` of a clip as RGB.

    Decodes from the nearest keyframe where that is reliable. Colours follow the matrix and the range that the file
    declares (ITU-R BT.601, limited range, where it declares none). Transparent pixels are shown on black, and more than
    8 bits are reduced to 8. Frames are turned by the right angles that the file asks for; pixels that are not square
    and interlaced frames are left as they are, and `VideoInfo.remarks` says so.

    Args:
        path: a video.
        start: number of the first frame, from 0.
        num_frames: frames to return; ``None`` reads to the end.
        stride: step between frames, in frames of the file.

    Returns:
        uint8 tensor ``(3, T, H, W)`` in [0, 255].

    Raises:
        VideoReadError: the file cannot be read, has fewer frames than asked for, or more than fit into memory.
        ValueError: `start`, `num_frames` or `stride` is out of range.
    """
    return read_frames(path, probe_video(path).frames, partial(iter_frames, path), start, num_frames, stride)


def iter_frames(path: str | os.PathLike[str], numbers: Sequence[int]) -> Iterator[Tensor]:
    """Yield single frames of a clip as RGB, one in memory at a time.

    Args:
        path: a video.
        numbers: strictly increasing frame numbers, from 0.

    Yields:
        uint8 tensors ``(3, H, W)`` in [0, 255], one for each number, converted as in `read_video`.

    Raises:
        VideoReadError: the file cannot be read, or has not all these frames.
        ValueError: `numbers` do not increase strictly from 0 or more.
    """
    index = frame_index(path)
    check_numbers(path, numbers, index.frames)
    for number, picture in zip(numbers, decode_frames(path, index, numbers), strict=True):
        if (picture.height, picture.width) != (index.height, index.width):
            sizes = f"from {index.height} x {index.width} to {picture.height} x {picture.width} (rows x columns)"
            raise VideoReadError(path, f"changes its frame size {sizes} at frame {number}; split it there")
        yield _to_rgb(path, picture).rot90(index.quarter_turns, (1, 2))


def _shown_size(index: FrameIndex) -> tuple[int, int]:
    """Rows and columns after turning."""
    return (index.width, index.height) if index.quarter_turns % 2 else (index.height, index.width)


def _to_rgb(path: str | os.PathLike[str], picture: VideoFrame) -> Tensor:
    try:
        return torch.from_numpy(_rgb_pixels(picture)).permute(2, 0, 1)
    except av.error.FFmpegError as error:
        raise VideoReadError(path, f"has a frame that cannot be turned into RGB ({error.strerror})") from None


def _rgb_pixels(picture: VideoFrame) -> npt.NDArray[np.uint8]:
    """Pixels ``(H, W, 3)``."""
    layout = picture.format
    has_alpha = layout.has_palette or any(component.is_alpha for component in layout.components)
    options = dict(_ONE_THREAD)
    if not layout.is_rgb and len(layout.components) >= 3:
        # FFmpeg's direct way from subsampled colour to RGB takes shortcuts that darken by more than a grey level.
        matrix = int(picture.colorspace)
        full = "yuva444p" if has_alpha else "yuv444p"
        picture = picture.reformat(format=full, src_colorspace=matrix, dst_colorspace=matrix, **_ONE_THREAD)
        # RGB has no matrix, but PyAV before 17 ignores that of the source unless it is given another one here.
        options |= {"src_colorspace": matrix, "dst_colorspace": int(Colorspace.ITU601)}
    if not has_alpha:
        return np.ascontiguousarray(picture.to_ndarray(format="rgb24", **options), dtype=np.uint8)
    rgba = picture.to_ndarray(format="rgba", **options).astype(np.uint16)
    return ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)
