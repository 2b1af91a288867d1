# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is in a folder: clips, their masks, and what was left, every file accounted for."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monai_feat.data.folder_search.dicom_kinds import listed_files
from monai_feat.data.folder_search.pairing import MaskFinder, is_mask_folder
from monai_feat.data.folder_search.pixels import find_masks_by_pixels
from monai_feat.data.folder_search.sampled import files_beside_samples
from monai_feat.data.folder_search.series import split_masks
from monai_feat.data.folder_search.units import CLIP_SUFFIXES, Unit, stem_of, units_of, why_not_a_clip
from monai_feat.data.folder_search.walk import walk_folder

__all__ = ["FolderContents", "search_folder", "shown_name"]

_NAMED = 3  # examples of each reason
_REMARKS = 6  # in one paragraph
_FEW_ODD = 6  # so many single files of a folder with names of their own are looked at one by one


@dataclass(frozen=True)
class FolderContents:
    """Every file below a folder: part of a clip, part of a mask, or left for a reason.

    Attributes:
        folder: the folder.
        clips: in natural order.
        masks: what is taken for masks, with the clip that each belongs to, or None.
        pairs: mask of each clip, or None.
        left: files and folders that are neither, with the reason.
        remarks: what is unusual, in sentences.
        ambiguous: clips with several masks among which nothing decides.
    """

    folder: Path
    clips: tuple[Unit, ...]
    masks: tuple[Unit, ...]
    pairs: Mapping[Path, Path | None]
    left: Mapping[Path, str]
    remarks: tuple[str, ...] = ()
    ambiguous: Mapping[Path, Sequence[Path]] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether every file is a clip, or the mask of one: nothing needs saying."""
        used = set(self.pairs.values())
        return not self.left and not self.remarks and all(mask.path in used for mask in self.masks)

    def describe(self) -> str:
        """Say in one paragraph what was seen, what is used and what was left."""
        kinds = Counter("frame folders" if len(unit.files) > 1 else "files" for unit in self.clips)
        parts = [
            f"{shown_name(Path(self.folder.absolute().name))}: {_number(len(self.clips), 'clip')} {_in_brackets(kinds)}"
        ]
        parts += [self._about_masks()] if self.masks else []
        parts += [f"Left out: {self._about_left()}"] if self.left else []
        parts += self.remarks[:_REMARKS]
        parts += [f"… and {len(self.remarks) - _REMARKS} more remarks"] if len(self.remarks) > _REMARKS else []
        return ". ".join(parts) + "."

    def _about_masks(self) -> str:
        used = set(self.pairs.values()) - {None}
        files = sum(len(mask.files) for mask in self.masks)
        further = sum(mask.path not in used for mask in self.masks)
        return (
            f"{_number(files, 'file')} {'is' if files == 1 else 'are'} taken for masks "
            f"({self._names([mask.path for mask in self.masks])}); {_number(len(used), 'clip')} with a mask"
            + (f"; {_number(further, 'mask')} without a clip, or of a clip that has another" if further else "")
        )

    def _about_left(self) -> str:
        reasons: dict[str, list[Path]] = {}
        for path, reason in self.left.items():
            reasons.setdefault(_group_of(reason), []).append(path)
        return "; ".join(
            f"{_in_number(reason, len(paths))} ({self._names(paths)})" for reason, paths in sorted(reasons.items())
        )

    def _names(self, paths: Sequence[Path]) -> str:
        shown = [shown_name(path.relative_to(self.folder)) for path in paths[:_NAMED]]
        return ", ".join(shown) + (", …" if len(paths) > _NAMED else "")


def search_folder(folder: Path) -> FolderContents:
    """Find the clips and the masks of a folder and all folders below it, and account for all other files.

    Raises:
        FileNotFoundError: there is no such folder, or no clip in it; says what was looked for and what was found.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected a folder of clips, or one clip")
    tree = walk_folder(folder)
    left = dict(tree.left)
    left |= {path: reason for path in tree.files if (reason := why_not_a_clip(path))} | files_beside_samples(tree.files)
    candidates = [path for path in tree.files if path not in left]
    if not candidates:
        raise FileNotFoundError(_nothing_found(folder, tree.files, left))
    return _Search(folder, candidates, left).run()


class _Search:
    """The steps of `search_folder` and what they share."""

    def __init__(self, folder: Path, candidates: Sequence[Path], left: Mapping[Path, str]) -> None:
        self.folder, self.candidates, self.left = folder, candidates, left
        self.remarks: list[str] = [remark for path, why in left.items() if (remark := _index_remark(path, why))]

    def run(self) -> FolderContents:
        in_mask_folders = self._in_mask_folders()
        rest = [path for path in self.candidates if path not in in_mask_folders]
        owners = _masks_by_suffix(rest)
        pictures = [path for path in rest if path not in owners]
        units, remarks = units_of(pictures, {path.parent for path in owners}, loose=self.folder)
        self.remarks += remarks
        by_pixels = self._by_pixels(units)
        clips = [unit for unit in units if unit not in by_pixels]
        self.remarks += [f"{self._shown(unit.path)}: {unit.remark}" for unit in clips if unit.remark]
        by_suffix = _units_by_suffix(clips, owners)
        finder = MaskFinder(_by_owner(by_suffix, owners), by_pixels, clips, list_masks)
        found = {unit.path: finder.candidates(unit) for unit in clips}
        ambiguous = {path: masks for path, masks in found.items() if len(masks) > 1}
        self.remarks += [self._undecided(path, masks) for path, masks in ambiguous.items()]
        masks = (*units_of(sorted(in_mask_folders))[0], *by_suffix, *by_pixels)
        pairs = {path: masks[0] if len(masks) == 1 else None for path, masks in found.items()}
        return FolderContents(self.folder, tuple(clips), masks, pairs, self.left, tuple(self.remarks), ambiguous)

    def _shown(self, path: Path) -> str:
        return shown_name(path.relative_to(self.folder))

    def _undecided(self, clip: Path, masks: Sequence[Path]) -> str:
        names = ", ".join(shown_name(Path(mask.name)) for mask in masks[:_NAMED])
        return (
            f"{self._shown(clip)} has {len(masks)} masks among which nothing decides ({names}): it is taken without one"
        )

    def _in_mask_folders(self) -> set[Path]:
        """Candidates in folders of masks; none where nothing else would be left."""
        parents = {path.parent for path in self.candidates}
        inside = {
            folder for parent in parents for folder in (parent, *parent.parents) if folder.is_relative_to(self.folder)
        }
        masks = {folder for folder in inside - {self.folder} if is_mask_folder(folder, parents.__contains__)}
        found = {path for path in self.candidates if not masks.isdisjoint(path.parents)}
        return found if len(found) < len(self.candidates) else set()

    def _by_pixels(self, clips: Sequence[Unit]) -> list[Unit]:
        groups: dict[Path, list[Path]] = {}
        for unit, kind in zip(clips, _kinds_of(clips), strict=True):
            groups.setdefault(kind, []).append(unit.path)
        found = find_masks_by_pixels(groups)
        if len(found) == len(clips):
            self.remarks.append("Everything here has the pixels of masks: a few values; it is read as clips")
            return []
        if found:
            self.remarks.append(
                f"{_number(len(found), 'clip')} with the pixels of masks, a few values: taken for masks"
            )
        return [unit for unit in clips if unit.path in found]


def _kinds_of(clips: Sequence[Unit]) -> list[Path]:
    """What clips of one folder share that are all masks or none: names but for numbers, or else the suffix."""
    templates = [unit.path.with_name(re.sub(r"\d+", "0", unit.path.name)) for unit in clips]
    alike = Counter(templates)
    odd = Counter(template.parent for template in templates if alike[template] == 1)
    return [
        template if len(unit.files) > 1 or alike[template] > 1 or odd[template.parent] <= _FEW_ODD
        else template.with_name(f"*{template.suffix}")
        for unit, template in zip(clips, templates, strict=True)
    ]  # fmt: skip


def list_masks(folder: Path) -> Sequence[Unit]:
    """List the clips in a folder of masks."""
    return units_of([path for path in walk_folder(folder).files if not why_not_a_clip(path)])[0]


def _masks_by_suffix(files: Sequence[Path]) -> dict[Path, Path]:
    """Masks that are named after another file of their folder, and that file."""
    by_folder: dict[Path, list[Path]] = {}
    for path in files:
        by_folder.setdefault(path.parent, []).append(path)
    stems = {path: stem_of(path).name for path in files}
    return {mask: clip for members in by_folder.values() for mask, clip in split_masks(members, stems).items()}


def _units_by_suffix(clips: Sequence[Unit], owners: Mapping[Path, Path]) -> list[Unit]:
    """Masks of frames as one clip for each ending; all others one by one."""
    many = {file for unit in clips if len(unit.files) > 1 for file in unit.files}
    of_frames = sorted(mask for mask, owner in owners.items() if owner in many)
    single = [Unit(mask, (mask,)) for mask, owner in owners.items() if owner not in many]
    return units_of(of_frames, shared={path.parent for path in of_frames})[0] + single


def _by_owner(units: Sequence[Unit], owners: Mapping[Path, Path]) -> dict[Path, list[Unit]]:
    found: dict[Path, list[Unit]] = {}
    for unit in units:
        found.setdefault(owners[unit.files[0]], []).append(unit)
    return found


def _index_remark(path: Path, reason: str) -> str:
    if reason != "is a DICOM index":
        return ""
    listed = listed_files(path)
    missing = [file for file in listed if not file.is_file()]
    return f"{path.name} lists {_number(len(listed), 'file')}, of which {len(missing)} are not there" if missing else ""


def _nothing_found(folder: Path, files: Sequence[Path], left: Mapping[Path, str]) -> str:
    found = Counter(path.suffix.lower() or "without suffix" for path in files)
    listed = ", ".join(f"{count} x {suffix}" for suffix, count in found.most_common(8)) or "no file at all"
    folders = "".join(f"; {path.name} {reason}" for path, reason in list(left.items())[:_NAMED])
    return (
        f"{shown_name(folder)}: no clips in this folder or below; looked for {' '.join(CLIP_SUFFIXES)}; "
        f"found {listed}{folders}"
    )


def _in_number(reason: str, number: int) -> str:
    if number == 1:
        return f"1 {reason}"
    several = re.sub(
        r"^is an? (.+?)(?=: | to |$)", lambda noun: f"are {noun[1]}{'es' if noun[1][-1] == 'x' else 's'}", reason
    )
    return f"{number} {re.sub('^is ', 'are ', several)}"


def _group_of(reason: str) -> str:
    return re.sub(r"is a link to .*, which is here already", "is a link to what is here already", reason)


def shown_name(path: Path) -> str:
    """A path as it can be printed: bytes that are not UTF-8 are written out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _in_brackets(kinds: Mapping[str, int]) -> str:
    return "(" + ", ".join(f"{number} {kind if number != 1 else kind[:-1]}" for kind, number in kinds.items()) + ")"
