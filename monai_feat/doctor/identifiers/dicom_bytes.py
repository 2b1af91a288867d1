# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Identifying DICOM attributes among bytes, whatever stands around them.

A parser follows lengths; a damaged, nested or mislabelled header leads it past a name. This looks for the number of
every identifying attribute at every place instead, and for a value behind it.
"""

from __future__ import annotations

import re
import struct
import zlib

from pydicom.valuerep import VR

from monai_feat.doctor.identifiers.dicom_profile import known_tags, name_of

__all__ = ["MOST_BYTES", "find_attributes", "inflate"]

MOST_BYTES = 64 * 2**20
"""Bytes without pixels that are searched; headers have a thousandth of this."""
_LONGEST_VALUE = 4096
_CODES = frozenset(str(vr).encode() for vr in VR if len(str(vr)) == 2)
_WITH_LONG_LENGTH = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
_TEXT = re.compile(rb"[\t\n\r\x1b\x20-\x7e\x80-\xff]+\x00?")
_BLANK = b" \0\t\r\n^="


def find_attributes(data: bytes) -> set[str]:
    """Names of the identifying attributes that have a value among some bytes, in any of DICOM's three encodings.

    Args:
        data: bytes without pixels.
    """
    found = set()
    for order in "<>":
        groups = {struct.pack(f"{order}H", tag >> 16) for tag in known_tags()}
        pattern = re.compile(b"(?=(?:" + b"|".join(map(re.escape, sorted(groups))) + b"))")
        for match in pattern.finditer(data):
            place = match.start()
            if place + 8 > len(data):
                break
            group, element = struct.unpack_from(f"{order}HH", data, place)
            tag = (group << 16) | element
            if tag in known_tags() and _has_value(data, place + 4, order):
                found.add(name_of(tag))
    return found


def inflate(data: bytes) -> bytes:
    """Unpack the deflated part of a file, at most `MOST_BYTES`; nothing where it is damaged."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MOST_BYTES)
    except zlib.error:
        return b""


def _has_value(data: bytes, place: int, order: str) -> bool:
    code = data[place : place + 2]
    if code in _CODES:
        long = code in _WITH_LONG_LENGTH
        place += 4 if long else 2
        width, form = (4, "I") if long else (2, "H")
    else:
        width, form = 4, "I"
    if place + width > len(data):
        return False
    (length,) = struct.unpack_from(f"{order}{form}", data, place)
    value = data[place + width : place + width + min(length, _LONGEST_VALUE)]
    is_whole = length <= _LONGEST_VALUE and len(value) == length
    return is_whole and bool(value.strip(_BLANK)) and _TEXT.fullmatch(value) is not None
