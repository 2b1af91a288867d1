# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What video files say beside their pictures: titles, places, times, devices, sound, and boxes that players skip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av

from monai_feat.doctor.identifiers.traces import Traces, first_names

__all__ = ["look_at_video"]

# What a container says of itself, of the layout of its streams, and of the program that packed it (FFmpeg's own).
_STRUCTURE = frozenset(
    ("major_brand", "minor_version", "compatible_brands", "language", "vendor_id", "duration", "bps",
     "number_of_frames", "number_of_bytes", "_statistics_writing_app", "_statistics_tags", "alpha_mode",
     "stereo_mode", "rotate")
)  # fmt: skip
_OWN_NAMES = re.compile(r"(Lav[fc][\d.]*( \S+)?|VideoHandler|SoundHandler|DataHandler|0x[0-9a-f]+|und)", re.IGNORECASE)
_BOX_FOLDERS = frozenset((b"moov", b"trak", b"mdia", b"udta", b"moof", b"meta"))
_BOX_TIMES = frozenset((b"mvhd", b"tkhd", b"mdhd"))
_BOX_PADDING = frozenset((b"free", b"skip", b"wide", b"junk"))
_USER_DATA = frozenset((b"meta", b"\xa9too"))  # the first is read through FFmpeg, the second names the program
_MOST_BOXES = 10_000
_PADDING_READ = 1 << 16
_WORDS = re.compile(rb"[\x20-\x7e]{6,}")
_ISO_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"uuid", b"pnot")) | _BOX_PADDING  # that a file begins with
_KINDS = {"audio": "a sound track, in which voices may be heard", "subtitle": "a track of subtitles",
          "data": "a track of data", "attachment": "an attached file"}  # fmt: skip


def look_at_video(path: Path) -> Traces:
    """List what a video file says beside its pictures. User data inside the coded pictures is not looked at."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            found = list(_tags(container.metadata))
            streams = list(container.streams)
            found += [tag for stream in streams for tag in _tags(stream.metadata)]
            kinds = [_KINDS.get(stream.type, f"a track of kind {stream.type}") for stream in streams]
            found += [f"chapter {tag}" for chapter in container.chapters() for tag in _tags(chapter["metadata"])]
    except (av.FFmpegError, OSError, ValueError) as error:
        return Traces(unseen=(f"its metadata ({type(error).__name__})",))
    words = ["tags " + first_names(found)] if found else []
    words += [kind for kind in dict.fromkeys(kinds) if kind != "a track of kind video"]
    with path.open("rb") as file:
        head = file.read(8)
        words += _boxes(file) if head[4:8] in _ISO_BOXES else []
        words += _padding_of_riff(file) if head[:4] == b"RIFF" else []
    return Traces(tuple(dict.fromkeys(words)))


def _tags(metadata: dict[str, str]) -> Iterator[str]:
    for key, value in metadata.items():
        plain = key.lower().split("-")[0]
        if plain not in _STRUCTURE and str(value).strip() and not _OWN_NAMES.fullmatch(str(value).strip()):
            yield key


def _boxes(file: BinaryIO) -> list[str]:
    """What ISO files (mp4, mov) hold in boxes that FFmpeg passes over."""
    size = file.seek(0, 2)
    found = []
    waiting = [(0, size, b"")]
    seen = 0
    while waiting and seen < _MOST_BOXES:
        place, end, parent = waiting.pop()
        while place + 8 <= end and seen < _MOST_BOXES:
            seen += 1
            kind, start, stop = _box(file, place, end)
            if stop <= place:
                break
            if kind in _BOX_FOLDERS:
                waiting.append((start + 4 * (kind == b"meta" and parent != b""), stop, kind))
            elif what := _about_box(file, kind, parent, start, stop):
                found.append(what)
            place = stop
    return list(dict.fromkeys(found)) + [f"more than {_MOST_BOXES} boxes"] * bool(waiting)


def _box(file: BinaryIO, place: int, end: int) -> tuple[bytes, int, int]:
    """Kind, beginning of the content and end of the box at a place (ISO/IEC 14496-12, 4.2)."""
    file.seek(place)
    head = file.read(16)
    size, kind, start = int.from_bytes(head[:4], "big"), head[4:8], place + 8
    if size == 1:
        size, start = int.from_bytes(head[8:16], "big"), place + 16
    elif size == 0:
        size = end - place
    return kind, start, min(place + size, end) if size >= 8 else place


def _about_box(file: BinaryIO, kind: bytes, parent: bytes, start: int, stop: int) -> str:
    if kind in _BOX_TIMES:
        file.seek(start)
        head = file.read(20)
        times = head[4:20] if head[:1] == b"\1" else head[4:12]
        return "times of creation" if times.strip(b"\0") else ""
    if kind == b"uuid":
        return "a box of a kind of its own (uuid: XMP or a device's data)"
    if kind in _BOX_PADDING:
        file.seek(start)
        return "text in unused space" if _WORDS.search(file.read(min(stop - start, _PADDING_READ))) else ""
    if parent == b"udta" and kind not in _USER_DATA and stop > start:
        return f"user data {kind.decode('latin-1').strip()!r}"
    return ""


def _padding_of_riff(file: BinaryIO) -> list[str]:
    """Text in the padding of an AVI file before its pictures."""
    file.seek(0)
    head = file.read(_PADDING_READ)
    head = head[: head.find(b"movi")] if b"movi" in head else head
    found = []
    for match in re.finditer(b"JUNK|IDIT|ISMP", head):
        length = int.from_bytes(head[match.end() : match.end() + 4], "little")
        content = head[match.end() + 4 : match.end() + 4 + length]
        if _WORDS.search(content):
            found.append("text in unused space" if match[0] == b"JUNK" else "a date")
    return list(dict.fromkeys(found))
