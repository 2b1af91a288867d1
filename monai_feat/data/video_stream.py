# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbered pictures of a video file: what PyAV (FFmpeg) decodes, counted, timed and reached by number.

Frame ``i`` is the ``i``-th picture in order of presentation, whichever way it was reached. Where the container times
every picture, a frame is reached from the nearest keyframe before it and every decoded picture is identified by its
time stamp; everywhere else pictures are decoded and counted from the first one. Seeking is an optimisation that is
given up as soon as the stream contradicts its index.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import dropwhile
from pathlib import Path
from typing import BinaryIO, NamedTuple

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from monai_feat.data.frame_groups import FrameGroups, GroupError, PacketTime

__all__ = ["MAX_PIXELS", "FrameIndex", "VideoReadError", "decode_frames", "first_picture", "frame_index"]

# FFmpeg chooses a demuxer by content. Without this list, a text file that is a playlist would open other files.
_DEMUXERS = "mov,avi,matroska,mpeg,mpegts,mpegvideo,gif,jpeg_pipe,png_pipe,bmp_pipe,tiff_pipe"
_OPEN_OPTIONS = {"format_whitelist": _DEMUXERS, "protocol_whitelist": ""}
# Codecs that make exactly one picture of each packet, first those whose pictures are all keyframes.
_INTRA_CODECS = frozenset({"dnxhd", "ffv1", "huffyuv", "mjpeg", "png", "prores", "rawvideo"})
_ONE_PICTURE_PER_PACKET = _INTRA_CODECS | {"av1", "h264", "hevc", "mpeg4", "vp9"}
# Containers whose time stamps and seeks can be relied on. AVI times packets in the order in which they are stored.
_TRUSTED_TIMES = {"mov": _ONE_PICTURE_PER_PACKET, "matroska": _ONE_PICTURE_PER_PACKET, "avi": _INTRA_CODECS}
# No camera or scanner makes larger frames, and a damaged header must not ask for more memory than this many pixels.
MAX_PIXELS = 1 << 26
# Opening a file again costs about as much as decoding this many frames.
_SHORTEST_JUMP = 16
# The first box of an mp4 or mov file.
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")


class VideoReadError(ValueError):
    """A file that is no readable clip, or has not the frames asked for; the message is one line that names the file.

    Attributes:
        path: the file.
        reason: the message without the file.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        # What a damaged file says about itself, which many a reason quotes, may have line breaks.
        reason = " ".join(reason.split())
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[VideoReadError], tuple[str, str]]:
        # Exceptions raised in a data loader's worker are rebuilt in the main process from these arguments.
        return type(self), (os.fspath(self.path), self.reason)


@dataclass(frozen=True)
class FrameIndex:
    """Number and times of the frames of one file.

    Attributes:
        frames: number of frames.
        frame_rate: mean rate in Hz; 0.0 where the file has none.
        height: rows in pixels.
        width: columns in pixels.
        codec: FFmpeg's name of the codec.
        times: time stamp of each frame in the stream's unit, increasing; empty where only decoding can count.
        keyframes: numbers of the frames at which decoding may start, 0 the first; not needed with `FrameGroups`.
    """

    frames: int
    frame_rate: float
    height: int
    width: int
    codec: str
    times: Sequence[int]
    keyframes: tuple[int, ...] = (0,)

    def keyframe_before(self, frame: int) -> int:
        """Number of the last keyframe that is not after `frame`."""
        if isinstance(self.times, FrameGroups):
            return self.times.keyframe_before(frame)
        return self.keyframes[bisect_right(self.keyframes, frame) - 1]


def frame_index(path: str | os.PathLike[str]) -> FrameIndex:
    """Index the frames of a file, from its packets where those say enough, by decoding all of it otherwise.

    The result is remembered until the file's size or time of modification changes.

    Raises:
        VideoReadError: the file is missing, empty, no video, truncated, damaged or without a frame.
    """
    status = _status(path)
    return _build_index(os.fspath(path), status.st_size, status.st_mtime_ns)


def first_picture(path: str | os.PathLike[str]) -> VideoFrame:
    """Decode the first picture of a file, counting no others.

    Raises:
        VideoReadError: the file is missing, empty, no video, damaged or without a frame.
    """
    _status(path)
    with _opened(path) as (container, stream):
        for picture in _pictures(container, stream, None):
            return picture
    raise VideoReadError(path, "has no frames")


def _status(path: str | os.PathLike[str]) -> os.stat_result:
    if Path(path).is_dir():
        raise VideoReadError(path, "is a folder; expected a video file or a still image")
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
    except OSError as error:
        raise VideoReadError(path, f"cannot be opened ({error.strerror})") from None
    if status.st_size == 0:
        raise VideoReadError(path, "is empty (0 bytes)")
    return status


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
        yield from _decode_frames(path, _index_by_packets(os.fspath(path)), numbers[done:])


def _decode_frames(path: str | os.PathLike[str], index: FrameIndex, numbers: Sequence[int]) -> Iterator[VideoFrame]:
    position, may_seek = -1, True
    stream: Iterator[tuple[int, VideoFrame]] = iter(())
    for wanted in numbers:
        while position < wanted:
            keyframe = index.keyframe_before(wanted) if may_seek else 0
            if position < 0 or keyframe - position > _SHORTEST_JUMP:
                stream = _frames_from(path, index, keyframe)
            try:
                position, picture = next(stream)
            except _SeekError:
                position, may_seek = -1, False
            except StopIteration:
                raise VideoReadError(path, f"is damaged: frame {position + 1} cannot be decoded") from None
        yield picture


class _Entry(NamedTuple):
    """What a packet says about its picture, without the data."""

    pts: int | None
    is_keyframe: bool
    is_discard: bool


class _SeekError(Exception):
    """A seek did not lead to the keyframe that the index promised."""


class _NamelessFile:
    """Hides a file's name from FFmpeg, which would read patterns (``%03d``) and protocols (``concat:``) into it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A container and its first video stream; errors of FFmpeg inside the block become one-line errors."""
    with Path(path).open("rb") as file:
        try:
            container = av.open(
                _NamelessFile(file), mode="r", container_options=_OPEN_OPTIONS, metadata_errors="replace"
            )
        except av.error.FFmpegError:
            raise VideoReadError(path, _why_unreadable(path)) from None
        with container:
            if not container.streams.video:
                raise VideoReadError(path, "has no video stream")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise VideoReadError(path, "holds a video of a codec that is not known")
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            # Threads make what a damaged picture does depend on timing, and take address space by the number of cores.
            stream.codec_context.thread_count = 1
            try:
                yield container, stream
            except av.error.FFmpegError as error:
                raise VideoReadError(path, f"is damaged ({error.strerror})") from None


def _why_unreadable(path: str | os.PathLike[str]) -> str:
    with Path(path).open("rb") as file:
        head = file.read(8)
    if head[4:8] in _MOV_BOXES:
        return "is a truncated mp4 or mov file: its table of frames (moov) is missing; copy or record it again"
    return "is not a video or image that can be read (mp4, mov, avi, mkv, webm, mpeg, gif, jpg, png, bmp, tif)"


def _frames_from(path: str | os.PathLike[str], index: FrameIndex, keyframe: int) -> Iterator[tuple[int, VideoFrame]]:
    """Number and picture of all frames from `keyframe` on.

    Raises:
        _SeekError: decoding does not begin with that frame.
        VideoReadError: a picture is missing, which would shift the numbers of all later ones.
    """
    start = index.times[keyframe] if keyframe else None
    number = keyframe - 1
    with _opened(path) as (container, stream):
        if start is not None:
            container.seek(start, stream=stream)
        for number, picture in enumerate(_pictures(container, stream, start), start=keyframe):
            if index.times and picture.pts != index.times[number]:
                if number == keyframe > 0:
                    raise _SeekError
                raise VideoReadError(path, f"is damaged: frame {number} of {index.frames} cannot be decoded")
            yield number, picture
    if number < keyframe > 0:
        raise _SeekError


def _pictures(container: InputContainer, stream: VideoStream, start: int | None) -> Iterator[VideoFrame]:
    """Decode from the keyframe timed `start` on; from the first packet without one."""

    def is_before_start(packet: Packet[VideoStream]) -> bool:
        return start is not None and not (packet.is_keyframe and packet.pts == start)

    for packet in dropwhile(is_before_start, container.demux(stream)):
        for picture in stream.decode(packet):
            # Pictures shown before the keyframe but stored after it refer to others that were not decoded.
            if start is None or (picture.pts is not None and picture.pts >= start):
                yield picture


@lru_cache(maxsize=512)
def _build_index(path: str, size: int, modified_ns: int) -> FrameIndex:
    """Index of a file; its time of modification is an argument only to be part of the cache's key."""
    del modified_ns
    with _opened(path) as (container, stream):
        quick = _index_by_table(path, size, container, stream)
    return quick or _index_by_packets(path)


def _index_by_packets(path: str) -> FrameIndex:
    """Read all packets without decoding them, where that tells enough."""
    with _opened(path) as (container, stream):
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
    with _opened(path) as (container, stream):
        if stamp is not None:
            container.seek(stamp, stream=stream)
        yield from (PacketTime(packet.dts, packet.pts) for packet in container.demux(stream) if packet.size > 0)


def _packet_times(packets: Sequence[_Entry]) -> list[int]:
    """Presentation times in increasing order; empty unless each packet has its own and the first is a keyframe's."""
    times = sorted({packet.pts for packet in packets if packet.pts is not None})
    complete = len(times) == len(packets) > 0
    return times if complete and packets[0].is_keyframe and packets[0].pts == times[0] else []


def _index_by_decoding(path: str) -> FrameIndex:
    """Count by decoding all of a file, one picture in memory at a time."""
    with _opened(path) as (container, stream):
        times: list[int | None] = []
        height = width = 0
        for picture in _pictures(container, stream, None):
            if not times:
                height, width = picture.height, picture.width
            times.append(picture.pts)
        if not times:
            raise VideoReadError(path, "has no frames")
        is_still = container.format.name.endswith("_pipe")
        rate = 0.0 if is_still else _mean_rate(times, stream)
        codec = stream.codec_context.codec.canonical_name
    return FrameIndex(len(times), rate, height, width, codec, times=(), keyframes=(0,))


def _mean_rate(times: Sequence[int | None], stream: VideoStream) -> float:
    """Frames per second between the first and the last frame; the header's, where not every frame has its own time."""
    known = sorted({time for time in times if time is not None})
    if len(known) == len(times) > 1 and stream.time_base is not None:
        return float((len(known) - 1) / ((known[-1] - known[0]) * stream.time_base))
    return float(stream.average_rate or 0)
