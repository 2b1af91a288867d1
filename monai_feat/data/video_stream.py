# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbered pictures of a video file: what PyAV (FFmpeg) decodes, counted, timed and reached by number.

Frame ``i`` is the ``i``-th picture in order of presentation, whichever way it was reached. Where the container times
every picture, a frame is reached from the nearest keyframe before it and every decoded picture is identified by its
time stamp; everywhere else pictures are decoded and counted from the first one. Seeking is an optimisation that is
given up as soon as the stream contradicts its index, and where a keyframe turns out to need what was sent before it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice

import numpy as np
from av.video.frame import VideoFrame

from monai_feat.data.frame_groups import GroupError
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.video_container import SeekError, opened, pictures
from monai_feat.data.video_index import FrameIndex, frame_index, index_by_packets

__all__ = ["FrameIndex", "VideoReadError", "decode_frames", "frame_index"]

# Opening a file again costs about as much as decoding this many frames.
_SHORTEST_JUMP = 16


def decode_frames(path: str | os.PathLike[str], index: FrameIndex, numbers: Sequence[int]) -> Iterator[VideoFrame]:
    """Decode the frames with these strictly increasing numbers, jumping over what lies between them where that pays.

    Raises:
        VideoReadError: a frame cannot be decoded.
    """
    done = 0
    try:
        for picture in _decode_frames(path, index, numbers):
            yield picture
            done += 1
    except GroupError:
        again = replace(index_by_packets(path), must_start_at_first=index.must_start_at_first)
        yield from _decode_frames(path, again, numbers[done:])


def _decode_frames(path: str | os.PathLike[str], index: FrameIndex, numbers: Sequence[int]) -> Iterator[VideoFrame]:
    position, may_seek = -1, True
    stream: Iterator[tuple[int, VideoFrame]] = iter(())
    for wanted in numbers:
        while position < wanted:
            keyframe = index.keyframe_before(wanted) if may_seek else 0
            if keyframe and not _seeks_agree(os.fspath(path), index):
                keyframe, may_seek = 0, False
            if position < 0 or keyframe - position > _SHORTEST_JUMP:
                stream = _frames_from(path, index, keyframe)
            try:
                position, picture = next(stream)
            except SeekError:
                position, may_seek = -1, False
            except StopIteration:
                raise VideoReadError(path, f"is damaged: frame {position + 1} cannot be decoded") from None
        yield picture


@lru_cache(maxsize=512)
def _seeks_agree(path: str, index: FrameIndex) -> bool:
    """Whether a keyframe decoded alone is what it is after the frames before it, where one look can tell.

    Where the second frame is a keyframe already, as in files of keyframes only, decoding it both ways shows what
    packets depend on: tables and palettes that only the first one carries.
    """
    if index.frames < 2 or index.keyframe_before(1) != 1:
        return True
    try:
        ((_, alone),) = islice(_frames_from(path, index, 1), 1)
    except (SeekError, VideoReadError):
        return False
    _, (_, after) = islice(_frames_from(path, index, 0), 2)
    return alone.format.name == after.format.name and bool(np.array_equal(alone.to_ndarray(), after.to_ndarray()))


def _frames_from(path: str | os.PathLike[str], index: FrameIndex, keyframe: int) -> Iterator[tuple[int, VideoFrame]]:
    """Number and picture of all frames from `keyframe` on.

    Raises:
        SeekError: decoding does not begin with that frame.
        VideoReadError: a picture is missing, which would shift the numbers of all later ones.
    """
    start = index.times[keyframe] if keyframe else None
    number = keyframe - 1
    with opened(path) as (container, stream):
        if start is not None:
            container.seek(start, stream=stream)
        for number, picture in enumerate(pictures(container, stream, start), start=keyframe):
            if index.times and picture.pts != index.times[number]:
                if number == keyframe > 0:
                    raise SeekError
                raise VideoReadError(path, f"is damaged: frame {number} of {index.frames} cannot be decoded")
            yield number, picture
    if number < keyframe > 0:
        raise SeekError
