# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From files to clips: which files are one clip together, and which are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeVar

import numpy as np
from PIL import Image

from monai_feat.data.folder_search.dicom_kinds import why_no_picture
from monai_feat.data.folder_search.series import Series, find_series, natural_key
from monai_feat.data.readers.dicom import is_dicom
from monai_feat.data.readers.load import CLIP_FILE_SUFFIXES
from monai_feat.data.video_reader import STILL_SUFFIXES, VIDEO_SUFFIXES

__all__ = ["CLIP_SUFFIXES", "Unit", "stem_of", "units_of", "why_not_a_clip"]

CLIP_SUFFIXES = VIDEO_SUFFIXES + STILL_SUFFIXES + CLIP_FILE_SUFFIXES
_Path = TypeVar("_Path", bound=PurePath)
_ENDINGS = sorted(CLIP_SUFFIXES, key=len, reverse=True)
_SIZES_COMPARED = 8
_KINDS = {
    "a table": (".csv", ".tsv", ".xls", ".xlsx", ".ods"),
    "a description": (".json", ".xml", ".yaml", ".yml", ".cfg", ".ini", ".log"),
    "a text": (".txt", ".md", ".rst", ".pdf", ".doc", ".docx", ".html", ".htm", ".rtf"),
    "an archive: unpack it": (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"),
    "a program": (".py", ".m", ".sh", ".ipynb", ".exe", ".bat"),
    "pixels of a header beside it": (".raw", ".zraw", ".img"),
}
_VIEWER_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "md5sums", "sha256sums"})


@dataclass(frozen=True)
class Unit:
    """A clip in a folder.

    Attributes:
        path: what opens it: a file, a folder of frames, or a pattern (``a/frame_%d.png``) where frames share a folder.
        files: what it is made of.
        remark: what is unusual about it.
    """

    path: Path
    files: tuple[Path, ...]
    remark: str = ""


def stem_of(path: _Path) -> _Path:
    """A path without the ending of a known format; a folder of frames has none."""
    name = path.name.lower()
    ending = next((ending for ending in (*_ENDINGS, ".*") if name.endswith(ending)), "")
    return path.with_name(path.name[: len(name) - len(ending)])


def why_not_a_clip(path: Path) -> str:
    """Say why a file is not a clip; empty where it may be one. DICOM is told by content, all else by the suffix."""
    name = path.name.lower()
    if name in _VIEWER_FILES:
        return "is made by a file viewer"
    if name.endswith((".dcm", ".dicom", ".ima")) or (not name.endswith(CLIP_SUFFIXES) and is_dicom(path)):
        return why_no_picture(path)
    if name.endswith(CLIP_SUFFIXES):
        return ""
    kind = next((kind for kind, endings in _KINDS.items() if name.endswith(endings)), "")
    return f"is {kind}" if kind else "is of no format that is read here"


def units_of(
    files: Sequence[Path], shared: Iterable[Path] = (), loose: Path | None = None
) -> tuple[list[Unit], list[str]]:
    """Group the clips of folders: frames become one clip, all else is one file each.

    Args:
        files: candidates, in order.
        shared: folders that hold other pictures too; a clip of frames in one is named by its pattern.
        loose: a folder whose stills are pictures of their own.

    Returns:
        The clips, in natural order, and remarks.
    """
    shared = set(shared)
    by_folder: dict[Path, list[Path]] = {}
    for path in files:
        by_folder.setdefault(path.parent, []).append(path)
    units, remarks = [], []
    for folder, members in by_folder.items():
        stills = [path for path in members if path.suffix.lower() in STILL_SUFFIXES]
        series, single = find_series(stills)
        if folder == loose and series:
            number = sum(len(one.stills) for one in series)
            remarks.append(f"{number} pictures of {folder.name} are counted like frames; they are taken one by one, "
                           "because they lie in the given folder itself")  # fmt: skip
            series, single = [], stills
        clips = [one for one in series if _is_one_size(one)]
        for one in series:
            if one not in clips:
                single += one.stills
                remarks.append(f"{one.pattern} are counted like frames, but differ in size: pictures of their own")
        whole = len(clips) == 1 and not single and folder not in shared
        units += [Unit(folder if whole else one.pattern, one.stills, one.remark) for one in clips]
        rest = {*single, *members} - {still for one in clips for still in one.stills}
        units += [Unit(path, (path,)) for path in rest]
    return sorted(units, key=lambda unit: natural_key(unit.path.as_posix())), remarks


def _is_one_size(series: Series) -> bool:
    """Whether some of the frames, evenly spread, are of one size; those that cannot be opened do not count."""
    chosen = np.unique(np.linspace(0, len(series.stills) - 1, _SIZES_COMPARED).round().astype(int))
    return len({_size(series.stills[number]) for number in chosen} - {None}) < 2


def _size(still: Path) -> tuple[int, int] | None:
    try:
        with Image.open(still) as image:
            return image.width, image.height
    except Exception:  # Pillow raises many types; the reader says it better
        return None
