# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a table says about clips: ejection fractions, classes, depths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from monai_feat.data.clip_folder import ClipFolderDataset
from monai_feat.documents import read_table
from monai_feat.files import first_few

__all__ = ["AttributedClips", "read_attributes"]

UNKNOWN_ATTRIBUTE = -1.0
_FILE = "image"
_SHOWN = 5


def read_attributes(table: str | os.PathLike[str]) -> dict[Path, dict[str, float]]:
    """Read a table of numbers about clips, such as the ``attributes.csv`` of `write_phantoms`.

    Args:
        table: a CSV file with a line of names. The column ``image`` holds the clips' files, relative to the table's
            folder; columns of numbers become attributes, others are left out. An empty cell is -1: unknown.

    Returns:
        Attributes by file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it has no column ``image``, no column of numbers, or two lines for one file.
    """
    table = Path(table)
    read = read_table(table)
    if not read.rows or _FILE not in read.columns:
        raise ValueError(f"{table}: expected a line of names with {_FILE!r}, and a line for each clip")
    numbers = [name for name in read.columns if name != _FILE and all(_is_number(row[name]) for row in read.rows)]
    if not numbers:
        raise ValueError(f"{table}: no column holds numbers only; its columns are {', '.join(read.columns)}")
    found: dict[Path, dict[str, float]] = {}
    for row in read.rows:
        path = (table.parent / row[_FILE]).resolve()
        if path in found:
            raise ValueError(f"{table}: has two lines for {row[_FILE]}")
        found[path] = {name: float(row[name] or UNKNOWN_ATTRIBUTE) for name in numbers}
    return found


class AttributedClips(Dataset[dict[str, Any]]):
    """A folder of clips, each with its line of a table as ``attributes``.

    Args:
        clips: the clips.
        table: see `read_attributes`; it may hold more files.

    Raises:
        FileNotFoundError: there is no such table.
        ValueError: the table has no line for a clip, or is not as described.
    """

    def __init__(self, clips: ClipFolderDataset, table: str | os.PathLike[str]) -> None:
        self.clips = clips
        self._attributes: Mapping[Path, dict[str, float]] = read_attributes(table)
        if missing := [str(path) for path in clips.paths if path.resolve() not in self._attributes]:
            raise ValueError(f"{table}: has no line for {first_few(missing)}")

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item: dict[str, Any] = self.clips[index]
        return {**item, "attributes": dict(self._attributes[Path(item["source"]).resolve()])}


def _is_number(cell: str) -> bool:
    try:
        float(cell or UNKNOWN_ATTRIBUTE)
    except ValueError:
        return False
    return True
