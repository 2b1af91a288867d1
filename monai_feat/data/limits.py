# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How much work and memory one file may ask for: so much for every file, and more for every byte that it has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from monai_feat.data.read_error import VideoReadError

__all__ = [
    "PIXELS_PER_BYTE",
    "PIXELS_PER_BYTE_OF_VIDEO",
    "ReadLimits",
    "allowed_inflation",
    "check_decoding",
    "check_frames",
    "check_inflated",
    "check_tensor",
    "read_limits",
    "reading_limits",
]

# A kilobyte of video may be a thousand pictures of nothing, but no more: a static picture costs a packet each time.
# What is packed frame by frame or not at all is denser.
PIXELS_PER_BYTE_OF_VIDEO, PIXELS_PER_BYTE = 1024, 64
_BYTES_PER_FRAME = 64
# What zlib and gzip can make of a byte at the most (deflate: 258 bytes of 2 bits).
_DEFLATE_RATIO = 1032


@dataclass(frozen=True)
class ReadLimits:
    """What one file may ask for, whatever its header says.

    Attributes:
        frame_pixels: pixels of one frame: rows times columns.
        frames: frames of one clip; and one more for every 64 bytes of its file.
        decoded_pixels: pixels to be decoded from a file in which nothing can be skipped; and 1024 more for every byte.
        read_bytes: bytes of the tensor that one call returns; and for every byte 1024 more of a video, 64 more of
            another file.
        inflated_bytes: bytes to which a file unpacks that is packed as a whole, such as deflated DICOM; and 64 more
            for every byte.
        header_bytes: bytes of a header.
    """

    frame_pixels: int = 1 << 26
    frames: int = 1 << 15
    decoded_pixels: int = 1 << 27
    read_bytes: int = 1 << 27
    inflated_bytes: int = 1 << 27
    header_bytes: int = 1 << 24


_current = ReadLimits()


def read_limits() -> ReadLimits:
    """The limits that hold now in this process."""
    return _current


@contextmanager
def reading_limits(**changes: int) -> Iterator[ReadLimits]:
    """Change limits inside the block, in this process and those that it forks.

    Raises:
        ValueError: there is no such limit.

    Example:
        >>> with reading_limits(frames=10**7):
        ...     read_limits().frames
        10000000
    """
    global _current
    known = [field.name for field in fields(ReadLimits)]
    if unknown := sorted(changes.keys() - set(known)):
        raise ValueError(f"expected limits among {', '.join(known)}, got {', '.join(unknown)}")
    before, _current = _current, replace(_current, **changes)
    try:
        yield _current
    finally:
        _current = before


def check_frames(path: str | os.PathLike[str], frames: int, size: tuple[int, int]) -> None:
    """Refuse frames that are larger than any device makes, and more of them than the file has bytes for.

    Raises:
        VideoReadError: names what the file claims, and the option.
    """
    if size[0] * size[1] > _current.frame_pixels:
        raise VideoReadError(path, f"is damaged: it claims frames of {size[0]} x {size[1]} pixels")
    if frames > _allowed(path, _current.frames, 1 / _BYTES_PER_FRAME, frames):
        raise VideoReadError(path, f"is damaged: it claims {frames} frames (limit: reading_limits(frames=…))")


def check_decoding(path: str | os.PathLike[str], frames: int, size: tuple[int, int]) -> None:
    """Refuse a file of which all has to be decoded to reach a frame, where that is out of proportion to its bytes.

    Raises:
        VideoReadError: names what the file asks for, and the option.
    """
    pixels = frames * size[0] * size[1]
    if pixels > _allowed(path, _current.decoded_pixels, PIXELS_PER_BYTE_OF_VIDEO, pixels):
        raise VideoReadError(
            path,
            f"asks for {pixels:.1e} pixels to be decoded ({frames} frames of {size[0]} x {size[1]}) from a file of "
            f"{_bytes_of(path)} bytes; raise the limit if that is right: reading_limits(decoded_pixels=…)",
        )


def check_inflated(path: str | os.PathLike[str], promised: int, packed: int) -> None:
    """Refuse a promise of more bytes than zlib or gzip can make of those that are there.

    Raises:
        VideoReadError: the file is truncated or damaged.
    """
    if promised > _DEFLATE_RATIO * (packed + 1):
        raise VideoReadError(path, f"is truncated or damaged: {packed} packed bytes cannot hold {promised} bytes")


def allowed_inflation(path: str | os.PathLike[str]) -> int:
    """Bytes to which a file that is packed as a whole may unpack."""
    return _current.inflated_bytes + PIXELS_PER_BYTE * _bytes_of(path)


def check_tensor(path: str | os.PathLike[str], frames: int, frame_bytes: int, per_byte: int = PIXELS_PER_BYTE) -> None:
    """Refuse to make a tensor that is out of proportion to its file.

    Args:
        path: the file.
        frames: frames of the tensor.
        frame_bytes: bytes of one of them.
        per_byte: bytes of the tensor that each byte of the file is good for.

    Raises:
        VideoReadError: names its size, and the option.
    """
    if frames * frame_bytes > _allowed(path, _current.read_bytes, per_byte, frames * frame_bytes):
        raise VideoReadError(
            path,
            f"does not fit into memory: {frames} frames are {frames * frame_bytes / 2**30:.1f} GiB, from a file of "
            f"{_bytes_of(path)} bytes; ask for fewer frames, or raise the limit: reading_limits(read_bytes=…)",
        )


def _allowed(path: str | os.PathLike[str], always: int, per_byte: float, asked: int) -> float:
    """What a file may ask for; its bytes are counted only where it asks for more than any file may."""
    return always if asked <= always else always + per_byte * _bytes_of(path)


def _bytes_of(path: str | os.PathLike[str]) -> int:
    """Bytes of a file; or of all files directly in a folder, where a pattern names some of them as well."""
    path = Path(path)
    if path.is_file():
        return path.stat().st_size
    folder = path if path.is_dir() else path.parent
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
