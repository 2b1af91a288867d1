# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables and annotations that data sets bring, as lists of clips that are there.

Tables name clips in their own ways: EchoNet-Dynamic without ending and without the folder ``Videos``, EchoNet-LVH once
for each measurement, others frame by frame. What they name is looked up among the clips of the table's folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from monai_feat.data.annotation_files import ANNOTATION_SUFFIXES, read_annotations
from monai_feat.data.clip_rows import ClipRow
from monai_feat.data.datalist import ClipItem, Datalist, DatalistError, validate_datalist
from monai_feat.data.folder_search.contents import FolderContents, search_folder, shown_name
from monai_feat.data.folder_search.units import Unit, stem_of
from monai_feat.data.readers.clip_address import split_address
from monai_feat.data.video_reader import STILL_SUFFIXES
from monai_feat.documents import read_table

__all__ = ["TableListing", "list_table"]

TABLE_SUFFIXES = (".csv", ".tsv", *ANNOTATION_SUFFIXES)
_IMAGE_COLUMNS = ("image", "filename", "hashedfilename", "file", "filepath", "path", "video", "videoname", "videofile",
                  "videoid", "videopath", "clip", "clipname", "imagename", "imagepath", "imagefile", "framepath",
                  "frame", "name")  # fmt: skip
_SPLIT_COLUMNS = ("split", "subset", "partition")
_TRAINING, _VALIDATION, _TESTING = ("train", "training"), ("val", "valid", "validation"), ("test", "testing")
_NAMED = 5


@dataclass(frozen=True)
class TableListing:
    """Clips of a table.

    Attributes:
        items: each clip once.
        splits: what the table's column of the split says of each; empty where it has none.
        missing: names of the table that no file has.
    """

    items: tuple[ClipItem, ...]
    splits: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def has_splits(self) -> bool:
        """Whether the table splits its clips."""
        return any(self.splits)

    def datalist(self) -> Datalist:
        """Split as the table says: ``TRAIN`` always trains, ``VAL`` is fold 0, ``TEST`` is held out, numbers are folds.

        Raises:
            DatalistError: the table says something else, or a group is on two sides.
        """
        if unknown := sorted({split for split in self.splits if not _is_split(split)}):
            raise DatalistError(f"expected a split of TRAIN, VAL and TEST or of numbers, got {', '.join(unknown)}")
        sides = [(split.lower(), item) for split, item in zip(self.splits, self.items, strict=True)]
        datalist = Datalist(
            tuple(replace(item, fold=_fold(split)) for split, item in sides if split not in _TESTING),
            tuple(item for split, item in sides if split in _TESTING),
        )
        validate_datalist(datalist)
        return datalist


def list_table(
    table: str | os.PathLike[str],
    image: str | None = None,
    label: str | None = None,
    group: str | None = None,
    category: str | None = None,
    split: str | None = None,
) -> TableListing:
    """List the clips of a table with a header, or of annotations (COCO or CVAT), each clip once.

    Args:
        table: CSV or TSV, UTF-8; COCO's JSON; or CVAT's XML. Names in it are relative to its folder, or found there.
        image: column of the clips; by default the one that public data sets use.
        label: column of the masks; an empty cell is a clip without one. By default masks are told as in a folder.
        group: column of the patients or sequences.
        category: column of the classes.
        split: column of the split; by default one of this name.

    Raises:
        DatalistError: a column is missing, a cell that must not be empty is, a name fits several clips, lines about
            one clip contradict each other, or nothing that the table names is there.
        OSError: the table cannot be read.
    """
    table = Path(table)
    if table.suffix.lower() in ANNOTATION_SUFFIXES:
        rows: Sequence[ClipRow] = read_annotations(table)
    else:
        rows = _read_rows(table, image, label, group, category, split)
    index = _ClipIndex(table.parent)
    found: dict[Path, ClipRow] = {}
    masks: dict[Path, Path | None] = {}
    missing: list[str] = []
    for row in rows:
        clip = index.find(row.image)
        if clip is None:
            missing.append(row.image)
            continue
        found[clip] = row if clip not in found else found[clip].joined(row, f"{table}: {row.image}")
        masks[clip] = index.mask(clip) if label is None else _existing(table, row.label)
    if not found:
        raise DatalistError(
            f"{table}: of its {len(rows)} names no file is there, such as {', '.join(missing[:_NAMED])}"
        )
    items = [ClipItem(clip, masks[clip], row.group, row.category) for clip, row in found.items()]
    return TableListing(tuple(items), tuple(row.split for row in found.values()), tuple(dict.fromkeys(missing)))


def _read_rows(
    table: Path, image: str | None, label: str | None, group: str | None, category: str | None, split: str | None
) -> list[ClipRow]:
    try:
        read = read_table(table, "\t" if table.suffix.lower() == ".tsv" else ",")
    except ValueError as error:
        raise DatalistError(str(error)) from None
    columns = list(read.columns)
    split = split or _known_column(columns, _SPLIT_COLUMNS)
    if (image := image or _known_column(columns, _IMAGE_COLUMNS)) is None:
        raise DatalistError(
            f"{table}: cannot tell which column names the clips; expected one called image, filename, path, video, "
            f"clip or alike. Rename it, or name it with --image-column; the columns are {', '.join(columns)}"
        )
    wanted = [column for column in (image, label, group, category, split) if column]
    if unknown := [column for column in wanted if column not in columns]:
        raise DatalistError(f"{table}: has no column {', '.join(unknown)}; its columns are {', '.join(columns)}")
    rows = []
    for number, cells in zip(read.lines, read.rows, strict=True):
        if empty := [column for column in wanted if column != label and not cells[column]]:
            raise DatalistError(f"{table}, line {number}: {', '.join(empty)} is empty")
        named = [cells[column] if column else "" for column in (image, label, group, category, split)]
        rows.append(ClipRow(*named))
    return rows


class _ClipIndex:
    """Finds the clips that a table names among those of its folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def _contents(self) -> FolderContents | None:
        try:
            return search_folder(self.root)
        except FileNotFoundError:
            return None  # the table names clips elsewhere

    @property
    def _units(self) -> Sequence[Unit]:
        return self._contents.clips if self._contents else ()

    @cached_property
    def _by_file(self) -> dict[Path, Path]:
        return {file: unit.path for unit in self._units for file in unit.files}

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[Path, Path]]]:
        """Clips by the last part of their paths and of those of their frames, without ending."""
        found: dict[str, list[tuple[Path, Path]]] = {}
        for unit in self._units:
            for path in dict.fromkeys((unit.path, *unit.files)):
                found.setdefault(stem_of(path).name, []).append((stem_of(path), unit.path))
        return found

    def find(self, name: str) -> Path | None:
        """The clip of a name: a path, a path without ending, its last parts, or one of its frames.

        Raises:
            DatalistError: several clips have this name.
        """
        path = self.root / name
        is_frame = path.suffix.lower() in STILL_SUFFIXES
        if split_address(path)[0].is_file() or (path.is_dir() and name.strip("./")):
            return self._by_file.get(path, path) if is_frame and path.is_relative_to(self.root) else path
        parts = stem_of(Path(PurePosixPath(name.replace("\\", "/")))).parts
        known = self._by_name.get(parts[-1], []) if parts else []
        clips = {clip for stem, clip in known if stem.parts[-len(parts) :] == parts}
        if len(clips) > 1:
            shown = ", ".join(sorted(shown_name(clip.relative_to(self.root)) for clip in clips)[:_NAMED])
            raise DatalistError(f"{name}: names {len(clips)} clips ({shown}); name more of the path")
        return clips.pop() if clips else None

    def mask(self, clip: Path) -> Path | None:
        """The mask of a clip, as folders are searched for it."""
        inside = clip.is_relative_to(self.root) and self._contents
        return inside.pairs.get(clip) if inside else None


def _known_column(columns: Iterable[str], known: Sequence[str]) -> str | None:
    plain = {re.sub(r"[^a-z]", "", column.lower()): column for column in columns if column}
    return next((plain[name] for name in known if name in plain), None)


def _existing(table: Path, name: str) -> Path | None:
    if name and not (table.parent / name).exists():
        raise DatalistError(f"{table}: the mask {name} is not there")
    return table.parent / name if name else None


def _is_split(split: str) -> bool:
    return split.isdecimal() or split.lower() in (*_TRAINING, *_VALIDATION, *_TESTING)


def _fold(split: str) -> int | None:
    return int(split) if split.isdecimal() else 0 if split in _VALIDATION else None
