# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which mask belongs to which clip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from monai_feat.data.folder_search.names import bare_name, folder_role, mask_rank, part_of, split_mask_suffix
from monai_feat.data.folder_search.units import Unit, stem_of

__all__ = ["MaskFinder", "is_mask_folder"]

_Place: TypeAlias = tuple[Path, str]
_CHANNEL = re.compile(r"_\d{4}$")  # nnU-Net's number of the modality, which its masks lack


def is_mask_folder(folder: Path, holds_clips: Callable[[Path], bool]) -> bool:
    """Whether a folder holds ground truth by its name and by what is beside it.

    Args:
        folder: the folder.
        holds_clips: tells of a folder whether clips lie in it (a), or in it or below (b); asked about its neighbours.
    """
    if folder_role(folder.name) != "masks":
        return False
    beside = (path for path in folder.parent.iterdir() if path.is_dir() and folder_role(path.name) == "pictures")
    return holds_clips(folder.parent) or any(True for _ in beside)


class MaskFinder:
    """Finds the mask of a clip by suffix, by folder, or among those that pixels gave away.

    Args:
        by_clip: masks that are named after a file in the same folder, by that file.
        by_pixels: masks that only pixels gave away.
        clips: all clips, of which such a mask must belong to one alone.
        list_units: lists the clips below a folder of masks.
    """

    def __init__(
        self,
        by_clip: Mapping[Path, Sequence[Unit]],
        by_pixels: Sequence[Unit],
        clips: Sequence[Unit],
        list_units: Callable[[Path], Sequence[Unit]],
    ) -> None:
        self._by_clip, self._list_units = by_clip, list_units
        self._by_pixels: dict[_Place, list[Path]] = {}
        for unit in by_pixels:
            for place in _places(unit):
                self._by_pixels.setdefault(place, []).append(unit.path)
        self._claims = Counter(place for clip in clips for place in _places(clip))
        self._tables: dict[Path, dict[Path, list[Path]]] = {}

    def candidates(self, unit: Unit) -> list[Path]:
        """All masks of equal claim on a clip: none, one, or several among which nothing decides."""
        found = {mask.path: mask_rank(_suffix_of(mask)) for mask in self._by_clip.get(unit.files[0], ())}
        for folder, path in self._in_mask_folders(unit):
            found[path] = mask_rank(folder.name)
        if not found:
            unique = (place for place in _places(unit) if self._claims[place] == 1)
            return next((masks for place in unique if (masks := self._by_pixels.get(place))), [])
        best = min(found.values())
        return [path for path, rank in found.items() if rank == best]

    def _in_mask_folders(self, unit: Unit) -> Iterator[tuple[Path, Path]]:
        for pictures in (unit.path, *unit.path.parents):
            role = folder_role(pictures.name)
            if role == "pictures" and pictures.is_dir() and not _is_right_of_a_pair(pictures):
                folders = _of_one_part(pictures, _mask_folders(pictures.parent))
            elif pictures in (unit.path, unit.path.parent) and pictures.is_dir():
                folders = _mask_folders(pictures)  # masks lie in the folder of the pictures
            else:
                continue
            found = [(folder, path) for folder in folders for path in self._below(folder, unit, pictures)]
            if found:
                yield from found
                return

    def _below(self, masks: Path, unit: Unit, pictures: Path) -> list[Path]:
        table = self._table(masks)
        if unit.path == pictures:  # the folder of pictures is itself a clip, frame by frame
            return table.get(masks) or [path for paths in table.values() for path in paths if path.is_dir()]
        stem = stem_of(masks / unit.path.relative_to(pictures))
        names = (stem.name, _CHANNEL.sub("", stem.name), bare_name(stem.name))
        return next((found for name in names if (found := table.get(stem.with_name(name)))), [])

    def _table(self, masks: Path) -> dict[Path, list[Path]]:
        """The masks below a folder by their path without ending and without what names of masks have in addition."""
        if masks not in self._tables:
            table: dict[Path, list[Path]] = {}
            for unit in self._list_units(masks):
                stem = stem_of(unit.path)
                split = None if unit.path.is_dir() else split_mask_suffix(stem.name)
                names = {stem.name, split[0] if split else stem.name, bare_name(stem.name)}
                for key in map(stem.with_name, names):
                    table.setdefault(key, []).append(unit.path)
            self._tables[masks] = table
        return self._tables[masks]


def _mask_folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and folder_role(path.name) == "masks")


def _of_one_part(pictures: Path, masks: Sequence[Path]) -> Sequence[Path]:
    """The folders of masks that are of the same part of the data set, if any; all otherwise."""
    return [folder for folder in masks if part_of(folder.name) == part_of(pictures.name)] or masks


def _is_right_of_a_pair(pictures: Path) -> bool:
    """Whether a folder holds the right pictures of a stereo pair, whose masks are drawn on the left ones."""
    left = re.sub("right", "left", pictures.name, flags=re.IGNORECASE)
    return left != pictures.name and pictures.with_name(left).is_dir()


def _places(unit: Unit) -> list[_Place]:
    """What a clip and its mask have in common: names, in one folder or in two beside each other, or how many frames."""
    folder, name = unit.path.parent, stem_of(unit.path).name
    if unit.path.is_dir():
        return [(folder, str(len(unit.files))), (folder.parent, f"{name}/{len(unit.files)}")]
    places = [(folder, bare_name(name)), (folder.parent, name), (folder.parent, bare_name(name))]
    return list(dict.fromkeys(places))  # a clip claims each place once


def _suffix_of(mask: Unit) -> str:
    split = split_mask_suffix(stem_of(mask.path).name)
    return split[1] if split else ""
