# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Identifying attributes of a DICOM file, at every depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from monai_feat.doctor.identifiers.dicom_bytes import MOST_BYTES, find_attributes, inflate
from monai_feat.doctor.identifiers.dicom_profile import DATES, is_identifying, is_private, is_uid, name_of
from monai_feat.doctor.identifiers.traces import Traces, first_names

__all__ = ["look_at_dicom"]

_PIXELS = 0x7FE00010
_PREAMBLE = 128
_DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_UNDEFINED = 0xFFFFFFFF
_SAID_BY_ITSELF = {"BurnedInAnnotation": "text in its pixels", "RecognizableVisualFeatures": "a face or the like"}


def look_at_dicom(path: Path) -> Traces:
    """List the attributes of a DICOM file that identify; see `is_identifying`."""
    try:
        data = dcmread(path, defer_size=1024, force=True)
        seen, unseen = _Seen(), []
        seen.take(data)
        seen.take(data.file_meta)
        if (preamble := data.preamble or b"").strip(b"\0") and not preamble.startswith((b"II*\0", b"MM\0*")):
            seen.names["text before the header"] += 1
        deflated = str(data.file_meta.get("TransferSyntaxUID", "")) == _DEFLATED
        pixels = _pixels_at(data)
    except Exception:  # pydicom raises dozens of types for bad bytes; the bytes themselves are searched all the same
        seen, unseen, deflated, pixels = _Seen(), ["a part of its header, which is damaged"], False, None
    hidden, is_whole = _hidden(path, pixels, deflated)
    seen.names.update({name: 1 for name in hidden if name not in seen.names and name not in seen.dated})
    unseen += [f"the rest of a header above {MOST_BYTES >> 20} MiB"] * (not is_whole)
    unseen += ["attributes that cannot be read"] * bool(seen.unread)
    return Traces(tuple(seen.in_words()), seen.uids, tuple(unseen))


class _Seen:
    """Counts what identifies, element by element."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()
        self.dated: set[str] = set()
        self.dates = self.uids = self.unread = 0
        self.private: Counter[str] = Counter()

    def take(self, data: Dataset) -> None:
        """Count the attributes of a data set and of all sequences in it."""
        waiting: list[Dataset] = [data]
        while waiting:
            for tag, value, vr in self._elements(waiting.pop()):
                if isinstance(value, DicomSequence):
                    waiting.extend(value)
                self._count(int(tag), value, vr)

    def _elements(self, data: Dataset) -> Iterator[tuple[int, Any, str]]:
        for tag in list(data.keys()):
            if int(tag) == _PIXELS:
                continue
            try:
                element = data[tag]
            except Exception:  # one bad value; the bytes are searched besides
                self.unread += 1
                continue
            yield int(tag), element.value, str(element.VR)

    def _count(self, tag: int, value: Any, vr: str) -> None:
        if not _is_filled(value):
            return
        name = name_of(tag)
        if is_private(tag):
            if tag & 0xFFFF > 0xFF or tag & 0xFFFF < 0x10:  # those between say whose the others are
                self.private[name] += 1
        elif is_uid(tag):
            self.uids += 1
        elif is_identifying(tag) and vr in DATES:
            self.dates += 1
            self.dated.add(name)
        elif is_identifying(tag) or vr == "PN":
            self.names[name] += 1
        elif name in _SAID_BY_ITSELF and str(value).upper() == "YES":
            self.names[f"{name} (says: {_SAID_BY_ITSELF[name]})"] += 1

    def in_words(self) -> Iterator[str]:
        """What was counted, without values."""
        if self.names:
            yield first_names(f"{name} ({n} times)" if n > 1 else name for name, n in self.names.items())
        if self.dates:
            yield f"{self.dates} dates and times ({first_names(sorted(self.dated))})"
        if self.private:
            yield f"{self.private.total()} private attributes ({first_names(self.private)})"


def _is_filled(value: Any) -> bool:
    if isinstance(value, bytes):
        return bool(value.strip(b" \0"))
    if isinstance(value, DicomSequence):
        return len(value) > 0
    return value is not None and bool(str(value).strip(" \0^=[]"))


def _pixels_at(data: Dataset) -> tuple[int, int] | None:
    """Where the pixels begin, and how many bytes they are; -1 where the file does not say."""
    raw = data.get_item(_PIXELS) if _PIXELS in data else None
    place, length = getattr(raw, "value_tell", None), getattr(raw, "length", None)
    if not place or length is None:
        return None
    return int(place), -1 if length == _UNDEFINED else int(length)


def _hidden(path: Path, pixels: tuple[int, int] | None, deflated: bool) -> tuple[set[str], bool]:
    """Names found among the bytes before and behind the pixels, and whether all of these bytes were searched."""
    with path.open("rb") as file:
        if deflated:
            whole = file.read(MOST_BYTES + 1)
            start = _end_of_meta(whole)
            unpacked = inflate(whole[start:])
            return find_attributes(whole[_PREAMBLE:start] + unpacked), len(unpacked) < MOST_BYTES
        if pixels is None:
            before, after = file.read(MOST_BYTES + 1), b""
        else:
            before = file.read(min(pixels[0], MOST_BYTES + 1))
            after = _behind(file, *pixels)
    return find_attributes(before[_PREAMBLE:]) | find_attributes(after), max(len(before), len(after)) <= MOST_BYTES


def _behind(file: Any, place: int, length: int) -> bytes:
    if length < 0:
        size = file.seek(0, 2)
        file.seek(max(place, size - MOST_BYTES))
        tail: bytes = file.read(MOST_BYTES)
        return tail[tail.rfind(_DELIMITER) :] if _DELIMITER in tail else b""
    file.seek(place + length)
    rest: bytes = file.read(MOST_BYTES + 1)
    return rest


def _end_of_meta(data: bytes) -> int:
    """Where group 2 ends: its first element says how long it is (PS3.10 7.1)."""
    return 144 + int.from_bytes(data[140:144], "little")
