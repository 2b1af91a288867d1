# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which data a run read: by what they hold, and by name only where names are asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from monai_feat.data.datalist import OWN_GROUP, ClipItem
from monai_feat.data.readers.clip_address import split_address
from monai_feat.data.readers.frame_folder import list_stills
from monai_feat.data.source_names import is_phantom, items_of
from monai_feat.data.sources import list_clips
from monai_feat.files import file_sha256

__all__ = ["DataEntry", "GroupNumbers", "describe_entries", "describe_procedural", "describe_source"]


class DataEntry(NamedTuple):
    """A clip that was read.

    Attributes:
        sha256: of its file, or of all files of its frames one after another.
        bytes: of these; None where it is a part of a file.
        label_sha256: of the file of its mask, if it has one.
        group: patient or sequence; empty where it is unknown.
        name: for people.
    """

    sha256: str
    bytes: int | None = None
    label_sha256: str | None = None
    group: str = ""
    name: str = ""


class GroupNumbers:
    """Numbers in the place of the names of patients, the same for all data of a run."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, group: str) -> int | None:
        """Return the number of a group; None for one that nobody has named."""
        if not group or group.startswith(OWN_GROUP):
            return None
        return self._numbers.setdefault(group, len(self._numbers))


def describe_source(
    role: str, source: str | os.PathLike[str], groups: GroupNumbers, names: bool = False, labels: bool = False
) -> dict[str, Any]:
    """Describe all clips of a source, as `monai_feat.data.source_names` writes them; every file is read once.

    Args:
        role: what a run used them for, such as ``training``.
        source: folder, datalist or phantom.
        groups: numbers the patients of a datalist.
        names: tell names of files and groups, too.
        labels: whether masks of a folder were read; those of a datalist are always told.

    Raises:
        FileNotFoundError: there is no clip.
        DatalistError: the datalist is none, or leaks.
        OSError: a file cannot be read.
    """
    if is_phantom(source):
        return describe_procedural(role, str(source))
    items = items_of(source)
    if items is None:
        listed = list_clips(source, int(labels))
        items = tuple(
            ClipItem(Path(item["image"]), Path(item["label"]) if "label" in item else None) for item in listed
        )
    files = [(item, _parts(item.image), _parts(item.label) if item.label else ()) for item in items]
    digests = {parts: file_sha256(*parts) for parts in {parts for _, *both in files for parts in both if parts}}
    entries = (
        DataEntry(digests[image], _bytes(image), digests.get(label), item.group, str(item.image))
        for item, image, label in files
    )
    return describe_entries(role, entries, groups, names)


def describe_procedural(role: str, name: str) -> dict[str, Any]:
    """Describe clips that have no files, by the name that makes them."""
    return {"role": role, "procedural": name, "sha256": None, "files": []}


def describe_entries(
    role: str, entries: Iterable[DataEntry], groups: GroupNumbers, names: bool = False
) -> dict[str, Any]:
    """Describe clips in the order of their digests: the same data give the same description.

    Args:
        role: as for `describe_source`.
        entries: the clips.
        groups: numbers their patients.
        names: tell names, too.
    """
    ordered = sorted(entries, key=lambda entry: (entry.sha256, entry.label_sha256 or ""))
    whole = hashlib.sha256("".join(entry.sha256 + (entry.label_sha256 or "") for entry in ordered).encode())
    files = [_described(entry, groups, names) for entry in ordered]
    return {"role": role, "procedural": None, "sha256": whole.hexdigest(), "files": files}


def _described(entry: DataEntry, groups: GroupNumbers, names: bool) -> dict[str, Any]:
    named = {"name": entry.name, "group_name": entry.group or None} if names else {}
    told = {
        "sha256": entry.sha256,
        "bytes": entry.bytes,
        "label_sha256": entry.label_sha256,
        "group": groups.number(entry.group),
        **named,
    }
    return {key: value for key, value in told.items() if value is not None}


def _parts(path: Path) -> tuple[Path, ...]:
    """The files of a clip: that which its address names, or the stills of a folder or of a pattern in their order."""
    file, _ = split_address(path)
    return (file,) if file.is_file() else tuple(list_stills(file))


def _bytes(parts: tuple[Path, ...]) -> int:
    return sum(part.stat().st_size for part in parts)
