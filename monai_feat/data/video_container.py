# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Video files as FFmpeg opens them: which containers, within which limits, and why one cannot be opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import dropwhile
from pathlib import Path
from typing import BinaryIO

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from monai_feat.data.dicom_bytes import encapsulated_video, holds_video
from monai_feat.data.limits import read_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.suffixes import readable_endings

__all__ = ["SeekError", "file_status", "opened", "pictures"]

# FFmpeg chooses a demuxer by content. Without this list, a text file that is a playlist would open other files.
_DEMUXERS = "mov,avi,matroska,mpeg,mpegts,mpegvideo,gif,asf,flv,ogg,mxf,h264,hevc,mjpeg"
_OPEN_OPTIONS = {"format_whitelist": _DEMUXERS, "protocol_whitelist": ""}
# The first box of an mp4 or mov file.
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")


# Marker of the tables without which a picture of Motion JPEG cannot be decoded (ITU-T T.81, DQT).
_JPEG_TABLES = b"\xff\xdb"


class SeekError(Exception):
    """A seek did not lead to the keyframe that the index promised, or not to all that it needs."""


class _NamelessFile:
    """Hides a file's name from FFmpeg, which would read patterns (``%03d``) and protocols (``concat:``) into it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def file_status(path: str | os.PathLike[str]) -> os.stat_result:
    """Size and time of modification of a file that can be opened and holds something.

    Raises:
        VideoReadError: it cannot be opened, is empty, or is a folder, a pipe or a device.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise VideoReadError(path, f"cannot be opened ({getattr(error, 'strerror', None) or error})") from None
    if stat.S_ISDIR(status.st_mode):
        raise VideoReadError(path, "is a folder; expected a file")
    # Opening a pipe would wait for its other end, and a device may never end.
    if not stat.S_ISREG(status.st_mode):
        raise VideoReadError(path, "is a pipe, a socket or a device, not a file")
    if status.st_size == 0:
        raise VideoReadError(path, "is empty (0 bytes)")
    return status


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A container and its first video stream; errors of FFmpeg inside the block become one-line errors."""
    with _opened_stream(path) as file:
        try:
            container = av.open(
                _NamelessFile(file), mode="r", container_options=_OPEN_OPTIONS, metadata_errors="replace"
            )
        except av.error.FFmpegError:
            raise VideoReadError(path, _why_unreadable(path)) from None
        with container:
            stream = _first_stream(path, container)
            stream.codec_context.options = {"max_pixels": str(read_limits().frame_pixels)}
            # Threads make what a damaged picture does depend on timing, and take address space by the number of cores.
            stream.codec_context.thread_count = 1
            try:
                yield container, stream
            except av.error.FFmpegError as error:
                raise VideoReadError(path, f"is damaged ({error.strerror})") from None


def pictures(container: InputContainer, stream: VideoStream, start: int | None = None) -> Iterator[VideoFrame]:
    """Decode from the keyframe timed `start` on; from the first packet without one.

    Raises:
        SeekError: the keyframe takes its tables from an earlier packet.
    """

    def is_before_start(packet: Packet[VideoStream]) -> bool:
        if start is None or not (packet.is_keyframe and packet.pts == start):
            return start is not None
        if stream.codec_context.name == "mjpeg" and _JPEG_TABLES not in bytes(packet):
            raise SeekError
        return False

    for packet in dropwhile(is_before_start, container.demux(stream)):
        for picture in stream.decode(packet):
            # Pictures shown before the keyframe but stored after it refer to others that were not decoded.
            if start is None or (picture.pts is not None and picture.pts >= start):
                yield picture


def _opened_stream(path: str | os.PathLike[str]) -> BinaryIO:
    """The file, or the video stream that a DICOM file holds."""
    if holds_video(path):
        return encapsulated_video(path)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise VideoReadError(path, f"cannot be opened ({error.strerror})") from None


def _first_stream(path: str | os.PathLike[str], container: InputContainer) -> VideoStream:
    """The first video stream that is not a cover picture."""
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise VideoReadError(path, "has no video stream")
    if streams[0].codec_context is None:
        raise VideoReadError(path, "holds a video of a codec that is not known")
    return streams[0]


def _why_unreadable(path: str | os.PathLike[str]) -> str:
    with Path(path).open("rb") as file:
        head = file.read(8)
    if head[4:8] in _MOV_BOXES:
        return "is a truncated mp4 or mov file: its table of frames (moov) is missing; copy or record it again"
    return f"is not a video or image that can be read; {readable_endings(Path(path).name)}"
