# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From a folder to the items of a datalist: what belongs together, and which mask to which clip."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TypeAlias

from monai_feat.data.clip_search import by_stem, mask_of
from monai_feat.data.datalist import ClipItem, DatalistError
from monai_feat.data.folder_search.contents import FolderContents, search_folder
from monai_feat.data.folder_search.units import stem_of

__all__ = ["Namer", "list_folder", "name_by_level", "name_by_pattern", "pair_masks"]

Namer: TypeAlias = Callable[[PurePath], str]
"""What names the group or the class of a clip, given its path inside the folder."""


def name_by_level(level: int) -> Namer:
    """Name clips by a folder above them: level 1 is the first folder below the source, -1 the one they lie in.

    Raises:
        ValueError: `level` is 0. The namer raises DatalistError for a clip that lies in no such folder.
    """
    if level == 0:
        raise ValueError("expected a folder level from 1 (outermost) or from -1 (innermost), got 0")

    def name(path: PurePath) -> str:
        folders = path.parts[:-1]
        index = level - 1 if level > 0 else level
        if not -len(folders) <= index < len(folders):
            raise DatalistError(f"{path}: lies in {len(folders)} folders below the source; there is no level {level}")
        return folders[index]

    return name


def name_by_pattern(pattern: str) -> Namer:
    """Name clips by a regular expression found in their path (with ``/``): its groups, joined by ``/``.

    Without a group in parentheses, the name is the whole match.

    Raises:
        ValueError: `pattern` is not a regular expression. The namer raises DatalistError where a clip does not match.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"expected a regular expression, got {pattern!r}: {error}") from None

    def name(path: PurePath) -> str:
        match = compiled.search(path.as_posix())
        if match is None or not (parts := [part for part in match.groups() or (match.group(),) if part]):
            raise DatalistError(f"{path}: nothing in this path matches {pattern!r}")
        return "/".join(parts)

    return name


def list_folder(contents: FolderContents, group: Namer | None = None, category: Namer | None = None) -> list[ClipItem]:
    """List the clips of a folder and all folders below it in natural order, with the masks that belong to them.

    Args:
        contents: what `search_folder` has found.
        group: names the patient or the sequence of a clip.
        category: names the class of a clip.

    Raises:
        DatalistError: a clip has no name by these rules.
    """
    folder = contents.folder
    return [
        ClipItem(
            image=path,
            label=mask,
            group=group(path.relative_to(folder)) if group else "",
            category=category(path.relative_to(folder)) if category else "",
        )
        for path, mask in contents.pairs.items()
    ]


def pair_masks(
    items: Sequence[ClipItem],
    folder: str | os.PathLike[str],
    mask_folder: str | os.PathLike[str] | None = None,
    suffix: str = "",
) -> list[ClipItem]:
    """Give every clip its mask: the file of the same name, plus a suffix, whatever its format.

    ``a/b.mp4`` and the suffix ``_mask`` belong to ``a/b_mask.nii.gz`` (or another format) in the mask folder, which is
    the clips' own folder if none is given. Files that are masks of others are not clips of their own.

    Args:
        items: clips, all below `folder`.
        folder: where paths begin that both folders share.
        mask_folder: the folder of masks, laid out like `folder`.
        suffix: what the name of a mask has in addition.

    Returns:
        The clips with their masks; one that has none is left without.

    Raises:
        ValueError: there is neither a folder of masks nor a suffix.
        DatalistError: two files could be the mask of one clip, or no clip has a mask.
    """
    if mask_folder is None and not suffix:
        raise ValueError("expected a folder of masks, or a suffix that tells masks from clips, got neither")
    folder, masks = Path(folder), Path(folder if mask_folder is None else mask_folder)
    contents = search_folder(masks)
    known = by_stem(unit.path for unit in (*contents.clips, *contents.masks))
    inside = mask_folder is not None and masks.resolve() != folder.resolve()
    paired = [
        replace(item, label=mask_of(_suffixed(masks / stem_of(item.image.relative_to(folder)), suffix), known))
        for item in items
        if not (inside and item.image.resolve().is_relative_to(masks.resolve()))
    ]
    labels = {item.label for item in paired}
    if labels == {None} or not labels:
        raise DatalistError(f"{masks}: no clip has a mask there: looked for <clip>{suffix} with any known ending")
    return [item for item in paired if item.image not in labels]


def _suffixed(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)
