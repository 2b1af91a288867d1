# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which frames of a clip on disk are read, and where they are put, whatever its format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from monai_feat.data.read_error import VideoReadError

__all__ = ["check_numbers", "read_frames"]


def check_numbers(path: str | os.PathLike[str], numbers: Sequence[int], available: int) -> None:
    """Refuse frame numbers that are out of order, or that a clip has not.

    Args:
        path: of the clip, for the message.
        numbers: from 0.
        available: frames of the clip.

    Raises:
        VideoReadError: the clip has not all these frames.
        ValueError: the numbers do not increase strictly from 0 or more.
    """
    if not numbers:
        return
    # A range is in order by itself; looking at each of its numbers takes long where a file claims many frames.
    is_ordered = isinstance(numbers, range) and numbers.step > 0
    if not (is_ordered or all(a < b for a, b in pairwise(numbers))) or numbers[0] < 0:
        raise ValueError(f"expected strictly increasing frame numbers from 0, got {list(numbers)}")
    if numbers[-1] >= available:
        asked = f"{len(numbers)} frames, numbers {numbers[0]} to {numbers[-1]} (from 0)"
        raise VideoReadError(path, f"has {available} frames; asked for were {asked}")


def read_frames(
    path: str | os.PathLike[str],
    available: int,
    decode: Callable[[Sequence[int]], Iterator[Tensor]],
    start: int = 0,
    num_frames: int | None = None,
    stride: int = 1,
) -> Tensor:
    """Read frames ``start, start + stride, …`` of a clip into one tensor, with no second copy of them in memory.

    Args:
        path: of the clip, for messages.
        available: frames of the clip.
        decode: yields the frames of these numbers, uint8 ``(C, H, W)``; checks that the clip has them.
        start: number of the first frame, from 0.
        num_frames: frames to return; ``None`` reads to the end.
        stride: step between frames, in frames of the file.

    Returns:
        uint8 tensor ``(C, T, H, W)``.

    Raises:
        VideoReadError: there is no frame `start`, or the frames do not fit into memory.
        ValueError: `start`, `num_frames` or `stride` is out of range.
    """
    if start < 0 or stride < 1 or (num_frames is not None and num_frames < 1):
        raise ValueError(
            f"expected start >= 0, num_frames >= 1 or None, and stride >= 1; got {start}, {num_frames} and {stride}"
        )
    if start >= available:
        raise VideoReadError(path, f"has {available} frames; reading was to begin at frame {start} (from 0)")
    numbers = range(start, available if num_frames is None else start + stride * num_frames, stride)
    frames = decode(numbers)
    first = next(frames)
    clip = _room_for(path, len(numbers), first)
    clip[:, 0] = first
    for t, frame in enumerate(frames, start=1):
        clip[:, t] = frame
    return clip


def _room_for(path: str | os.PathLike[str], length: int, frame: Tensor) -> Tensor:
    try:
        return torch.empty(frame.shape[0], length, *frame.shape[1:], dtype=torch.uint8)
    except RuntimeError:
        size = f"{length * frame.numel() / 2**30:.1f} GiB for {length} frames"
        raise VideoReadError(path, f"does not fit into memory ({size}): ask for fewer frames") from None
