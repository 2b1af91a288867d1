# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How many frames a video file has, when they are shown, and from which of them decoding may start."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import NamedTuple

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from monai_feat.data.frame_groups import FrameGroups, GroupError, PacketTime
from monai_feat.data.limits import check_decoding
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.video_container import file_status, opened, pictures

__all__ = ["FrameIndex", "frame_index", "index_by_packets"]

# Codecs that make exactly one picture of each packet, first those whose pictures are all keyframes.
_INTRA_CODECS = frozenset({"dnxhd", "ffv1", "huffyuv", "mjpeg", "png", "prores", "rawvideo"})
_ONE_PICTURE_PER_PACKET = _INTRA_CODECS | {"av1", "h264", "hevc", "mpeg4", "vp9"}
# Codecs whose pictures are all painted over the one before, whatever their packets say.
_CHANGES_OF_THE_LAST_PICTURE = frozenset({"gif"})
# Containers whose time stamps and seeks can be relied on. AVI times packets in the order in which they are stored.
_TRUSTED_TIMES = {
    "mov": _ONE_PICTURE_PER_PACKET,
    "matroska": _ONE_PICTURE_PER_PACKET,
    "avi": _INTRA_CODECS,
    "gif": {"gif"},
}


@dataclass(frozen=True)
class FrameIndex:
    """Number and times of the frames of one file.

    Attributes:
        frames: number of frames.
        frame_rate: mean rate in Hz; 0.0 where the file has none.
        height: rows in pixels, as stored.
        width: columns in pixels, as stored.
        codec: FFmpeg's name of the codec.
        times: time stamp of each frame in the stream's unit, increasing; empty where only decoding can count.
        keyframes: numbers of the frames at which decoding may start, 0 the first; not needed with `FrameGroups`.
        must_start_at_first: decoding has to start at the first frame, whatever `keyframes` say: what a frame means
            depends on packets before its keyframe.
        quarter_turns: by how many right angles, counter-clockwise, frames are to be turned before they are shown.
        remarks: what a viewer would do to the frames that readers do not, in whole sentences.
    """

    frames: int
    frame_rate: float
    height: int
    width: int
    codec: str
    times: Sequence[int]
    keyframes: tuple[int, ...] = (0,)
    must_start_at_first: bool = False
    quarter_turns: int = 0
    remarks: tuple[str, ...] = ()

    def keyframe_before(self, frame: int) -> int:
        """Number of the last keyframe that is not after `frame`."""
        if self.must_start_at_first:
            return 0
        if isinstance(self.times, FrameGroups):
            return self.times.keyframe_before(frame)
        return self.keyframes[bisect_right(self.keyframes, frame) - 1]


def frame_index(path: str | os.PathLike[str]) -> FrameIndex:
    """Index the frames of a file, from its packets where those say enough, by decoding all of it otherwise.

    The result is remembered until the file's size or time of modification changes.

    Raises:
        VideoReadError: the file is missing, empty, no video, truncated, damaged or without a frame.
    """
    status = file_status(path)
    return _build_index(os.fspath(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=512)
def _build_index(path: str, size: int, modified_ns: int) -> FrameIndex:
    """Index of a file; its time of modification is an argument only to be part of the cache's key."""
    del modified_ns
    with opened(path) as (container, stream):
        index = _index_by_table(path, size, container, stream) or index_by_packets(path)
        if index.codec in _CHANGES_OF_THE_LAST_PICTURE:
            check_decoding(path, index.frames, (index.height, index.width))
        first = next(pictures(container, stream), None)
        if first is None:
            raise VideoReadError(path, "has no frames")
        seen = _what_is_left(container, stream, first)
    # Palettes reach the decoder in packets of their own, which a seek leaves out.
    depends = first.format.has_palette or index.codec in _CHANGES_OF_THE_LAST_PICTURE
    return replace(index, must_start_at_first=depends, quarter_turns=_quarter_turns(first), remarks=seen)


def _quarter_turns(picture: VideoFrame) -> int:
    return round(picture.rotation / 90) % 4


def _what_is_left(container: InputContainer, stream: VideoStream, first: VideoFrame) -> tuple[str, ...]:
    """What viewers do to frames, and readers do not; from the headers and the first picture."""
    remarks = []
    ratio = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    if ratio and ratio != 1:
        remarks.append(
            f"its pixels are not square ({ratio.numerator}:{ratio.denominator}) and are read as they are stored: "
            "stretch the clip first where shapes matter"
        )
    if first.interlaced_frame:
        remarks.append(
            "its frames are interlaced and are read as they are stored: deinterlace it first (ffmpeg's filter bwdif)"
        )
    if first.rotation % 90:
        remarks.append(f"it is to be shown turned by {first.rotation} degrees, and is read as it is stored")
    if (streams := len(container.streams.video)) > 1:
        remarks.append(f"it holds {streams} streams of pictures, of which the first is read")
    return tuple(remarks)


class _Entry(NamedTuple):
    """What a packet says about its picture, without the data."""

    pts: int | None
    is_keyframe: bool
    is_discard: bool


def index_by_packets(path: str | os.PathLike[str]) -> FrameIndex:
    """Index by reading all packets without decoding them, where that tells enough, and by decoding otherwise.

    Raises:
        VideoReadError: the file is truncated, damaged or without a frame.
    """
    with opened(path) as (container, stream):
        demuxer, codec = container.format.name.split(",")[0], stream.codec_context.codec.canonical_name
        promised = stream.frames
        packets = [_Entry(p.pts, p.is_keyframe, p.is_discard) for p in container.demux(stream) if p.size > 0]
        # These tables are written after the last frame and so are exact; the headers of other containers hold guesses.
        if demuxer == "mov" and len(packets) < promised:
            raise VideoReadError(path, f"is truncated: {len(packets)} of {promised} frames are there; copy it again")
        shown = [packet for packet in packets if not packet.is_discard]
        times = _packet_times(shown)
        if not times or codec not in _TRUSTED_TIMES.get(demuxer, ()):
            return _index_by_decoding(path)
        number = {time: i for i, time in enumerate(times)}
        return FrameIndex(
            frames=len(times),
            frame_rate=_mean_rate(times, stream),
            height=stream.codec_context.height,
            width=stream.codec_context.width,
            codec=codec,
            times=tuple(times),
            keyframes=tuple(sorted(number[p.pts] for p in shown if p.is_keyframe and p.pts is not None)),
        )


def _index_by_table(path: str, size: int, container: InputContainer, stream: VideoStream) -> FrameIndex | None:
    """Index from the table at the head of an mp4 or mov file; None where that is not enough.

    Raises:
        VideoReadError: the table lists frames that lie behind the end of the file.
    """
    context = stream.codec_context
    codec = context.codec.canonical_name
    entries = getattr(stream, "index_entries", ())  # PyAV before 16 hands out no table
    if not container.format.name.startswith("mov") or codec not in _TRUSTED_TIMES["mov"]:
        return None
    table = [(e.is_keyframe, e.is_discard, e.timestamp, e.pos + e.size) for e in entries]
    if not 0 < len(table) == stream.frames or not table[0][0] or any(is_discard for _, is_discard, _, _ in table):
        return None
    if (there := sum(end <= size for *_, end in table)) < len(table):
        raise VideoReadError(path, f"is truncated: {there} of {len(table)} frames are there; copy it again")
    keyframes = [i for i, entry in enumerate(table) if entry[0]]
    times = FrameGroups(len(table), keyframes, [table[i][2] for i in keyframes], partial(_packets_from, path))
    try:
        rate = _mean_rate(sorted({times[0], times[-1]}), stream) * max(1, len(table) - 1)
    except GroupError:
        return None
    return FrameIndex(len(table), rate, context.height, context.width, codec, times)


def _packets_from(path: str, stamp: int | None) -> Iterator[PacketTime]:
    with opened(path) as (container, stream):
        if stamp is not None:
            container.seek(stamp, stream=stream)
        yield from (PacketTime(packet.dts, packet.pts) for packet in container.demux(stream) if packet.size > 0)


def _packet_times(packets: Sequence[_Entry]) -> list[int]:
    """Presentation times in increasing order; empty unless each packet has its own and the first is a keyframe's."""
    times = sorted({packet.pts for packet in packets if packet.pts is not None})
    complete = len(times) == len(packets) > 0
    return times if complete and packets[0].is_keyframe and packets[0].pts == times[0] else []


def _index_by_decoding(path: str | os.PathLike[str]) -> FrameIndex:
    """Count by decoding all of a file, one picture in memory at a time."""
    with opened(path) as (container, stream):
        times: list[int | None] = []
        height = width = 0
        for picture in pictures(container, stream):
            if not times:
                height, width = picture.height, picture.width
            times.append(picture.pts)
            check_decoding(path, len(times), (height, width))
        if not times:
            raise VideoReadError(path, "has no frames")
        rate, codec = _mean_rate(times, stream), stream.codec_context.codec.canonical_name
    return FrameIndex(len(times), rate, height, width, codec, times=())


def _mean_rate(times: Sequence[int | None], stream: VideoStream) -> float:
    """Frames per second between the first and the last frame; the header's, where not every frame has its own time."""
    known = sorted({time for time in times if time is not None})
    if len(known) == len(times) > 1 and stream.time_base is not None:
        return float((len(known) - 1) / ((known[-1] - known[0]) * stream.time_base))
    return float(stream.average_rate or 0)
