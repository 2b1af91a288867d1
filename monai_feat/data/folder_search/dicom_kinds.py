# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files in a folder: which hold pictures, and what an index lists."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmread
from pydicom.uid import UID, MediaStorageDirectoryStorage

__all__ = ["listed_files", "why_no_picture"]

_DIRECTORY_RECORDS = 0x00041220


def why_no_picture(path: Path) -> str:
    """Say what a DICOM file is that holds no picture: an index, a report, a plan; empty where it may hold one."""
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID", "Rows"])
        kind = UID(str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID") or ""))
        has_rows = "Rows" in header
    except Exception:  # pydicom raises dozens of types; the reader of clips will say what is wrong
        return ""
    if kind == MediaStorageDirectoryStorage:
        return "is a DICOM index"
    return "" if has_rows else f"is DICOM without a picture ({kind.name or 'of no stated kind'})"


def listed_files(index: Path) -> list[Path]:
    """Return the files that a DICOMDIR lists; none where it cannot be read."""
    try:
        records = dcmread(index, specific_tags=[_DIRECTORY_RECORDS]).get("DirectoryRecordSequence") or []
        names = [record.get("ReferencedFileID") for record in records]
    except Exception:  # as above
        return []
    parts = [[name] if isinstance(name, str) else list(name) for name in names if name]
    return [index.parent.joinpath(*map(str, part)) for part in parts]
