# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What NIfTI, MetaImage and NRRD headers say in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib

from monai_feat.doctor.identifiers.traces import Traces, first_names

__all__ = ["look_at_metaimage", "look_at_nifti", "look_at_nrrd"]

_NIFTI_TEXT = ("descrip", "aux_file", "db_name", "data_type", "intent_name")
_GZIP_NAME, _GZIP_COMMENT, _GZIP_EXTRA = 8, 16, 4
_LONGEST_HEADER = 1 << 20
_META_STRUCTURE = frozenset(
    ("objecttype", "objectsubtype", "ndims", "binarydata", "binarydatabyteordermsb", "elementbyteordermsb",
     "compresseddata", "compresseddatasize", "compressionlevel", "transformmatrix", "offset", "position", "origin",
     "orientation", "rotation", "centerofrotation", "anatomicalorientation", "elementspacing", "elementsize", "dimsize",
     "elementnumberofchannels", "elementtype", "elementdatafile", "headersize", "elementmin", "elementmax", "modality",
     "color", "kinds", "distanceunits", "ultrasoundimageorientation", "ultrasoundimagetype", "id", "parentid",
     "sequenceid")
)  # fmt: skip
_SEQUENCE = re.compile(
    r"seq_frame\d+_(\w*timestamp|framenumber|\w*transform(status)?|status|imagestatus)", re.IGNORECASE
)
_NRRD_STRUCTURE = frozenset(
    ("type", "dimension", "space", "space dimension", "space units", "sizes", "space directions", "kinds", "endian",
     "encoding", "space origin", "measurement frame", "data file", "datafile", "line skip", "byte skip", "spacings",
     "units", "labels", "axis mins", "axis maxs", "centers", "centerings", "thicknesses", "min", "max", "old min",
     "old max", "block size", "sample units", "space labels", "number", "lineskip", "byteskip")
)  # fmt: skip


def look_at_nifti(path: Path) -> Traces:
    """List the fields of a NIfTI header that hold words, its extensions, and the name that gzip keeps."""
    found = []
    try:
        header: Any = nib.load(path).header
        fields = [name for name in _NIFTI_TEXT if name in header and bytes(header[name].tobytes()).strip(b"\0 ")]
        found += [f"NIfTI {first_names(fields)}"] if fields else []
        if number := len(getattr(header, "extensions", ())):
            found.append(f"{number} NIfTI extensions")
    except Exception as error:  # nibabel raises many types for bad bytes
        return Traces(unseen=(f"its header ({type(error).__name__})",))
    return Traces((*found, *_gzip_words(path)))


def look_at_metaimage(path: Path) -> Traces:
    """List the keys of a MetaImage header that do not describe its pixels."""
    lines = _header_lines(path, "elementdatafile")
    keys = [key for key, value in lines if value and not _is_structure(key)]
    return Traces((f"MetaImage {first_names(keys)}",) if keys else ())


def look_at_nrrd(path: Path) -> Traces:
    """List the fields and keys of a NRRD header that do not describe its pixels, and its comments."""
    with path.open("rb") as file:
        text = file.read(_LONGEST_HEADER).split(b"\n\n")[0].decode("latin-1")
    found = []
    for line in text.splitlines()[1:]:
        key, mark, value = line.partition(":=") if ":=" in line else line.partition(":")
        if (
            line.startswith("#")
            and line.strip("# ")
            and "teem.sourceforge.net" not in line
            and "nrrd" not in line.lower()
        ):
            found.append("a comment")
        elif mark and value.strip() and (mark == ":=" or key.strip().lower() not in _NRRD_STRUCTURE):
            found.append(key.strip())
    return Traces((f"NRRD {first_names(found)}",) if found else ())


def _is_structure(key: str) -> bool:
    return key.lower() in _META_STRUCTURE or _SEQUENCE.fullmatch(key) is not None


def _header_lines(path: Path, last: str) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        text = file.read(_LONGEST_HEADER).decode("latin-1")
    for line in text.split("\n"):
        key, mark, value = line.partition("=")
        if mark:
            yield key.strip(), value.strip()
        if key.strip().lower() == last:
            return


def _gzip_words(path: Path) -> list[str]:
    """What the gzip header says (RFC 1952): a name other than the file's own, a comment, extra fields."""
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER if path.suffix == ".gz" else 0)
    if head[:2] != b"\x1f\x8b":
        return []
    flags, place, found = head[3], 10, []
    if flags & _GZIP_EXTRA:
        place += 2 + int.from_bytes(head[10:12], "little")
        found.append("gzip extra field")
    if flags & _GZIP_NAME:
        name = head[place : head.find(b"\0", place)].decode("latin-1")
        found += ["file name inside gzip"] if name not in (path.name, path.name.removesuffix(".gz")) else []
    return found + (["gzip comment"] if flags & _GZIP_COMMENT else [])
