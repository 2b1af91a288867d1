# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which clips are in a folder, and which mask belongs to which clip."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from monai_feat.data.datalist import ClipItem, DatalistError
from monai_feat.data.folder_search.contents import FolderContents, list_masks, search_folder
from monai_feat.data.folder_search.dicom_kinds import listed_files, why_no_picture
from monai_feat.data.folder_search.names import PICTURE_NAMES
from monai_feat.data.folder_search.pairing import MaskFinder
from monai_feat.data.folder_search.units import Unit, stem_of
from monai_feat.data.readers.clip_address import split_address
from monai_feat.data.readers.dicom import is_dicom
from monai_feat.data.readers.frame_folder import is_frame_pattern
from monai_feat.data.source_names import items_of
from monai_feat.files import first_few

__all__ = ["by_stem", "find_clips", "find_labelled_clips", "mask_of"]

logger = logging.getLogger(__name__)


def find_clips(folder: str | os.PathLike[str]) -> list[Path]:
    """List the clips in a folder and all folders below it, in natural order (``2.mp4`` before ``10.mp4``).

    Files are recognised by suffix, in upper or lower case, and DICOM files by content. Stills below the given folder
    that are counted (``0001.jpg``, ``0002.jpg``; every fifth, and with gaps, too) are one clip: the path of their
    folder, or a pattern such as ``a/frame_%d.png`` where they share it; other images, and all that lie in the given
    folder itself, are clips of one frame. Ground truth is told by the layouts of public data sets and by its pixels,
    and is left out; give such a folder itself to have its masks read as clips. What else is left out is said in a
    warning; `search_folder` returns all of it.

    Args:
        folder: a folder; one side of a datalist, as `monai_feat.data.source_names` says, by itself its training clips;
            a DICOMDIR, for the pictures that it lists; or one clip, which is returned.

    Returns:
        At least one path; one with ``%d`` is not a file, but `open_clip` opens it.

    Raises:
        DatalistError: the datalist is none, or leaks.
        FileNotFoundError: there is no such folder, or no clip in it; says what was looked for and what was found.
    """
    return list(_find(Path(folder), with_masks=False))


def find_labelled_clips(folder: str | os.PathLike[str]) -> dict[Path, Path | None]:
    """List clips as `find_clips` does, each with its mask, or None for one that has none.

    The mask of ``images/a/b.mp4`` is ``masks/a/b.nii.gz``: the file, or the folder of frames, of the same name, in any
    format, in a folder of masks (``masks``, ``labels``, ``GT``, ``ground_truth``, ``annotations``, …) beside the one of
    pictures (``images``, ``frames``, ``left_frames``, ``videos``, …); or a file beside the clip with an ending such as
    ``b_mask.png`` or ``b_gt.nii.gz``. A datalist names masks itself.

    Raises:
        DatalistError: two files could be the mask of one clip; or as `find_clips`.
        FileNotFoundError: no clip has a mask; or as `find_clips`.
    """
    labelled = _find(Path(folder), with_masks=True)
    if not any(labelled.values()):
        raise FileNotFoundError(
            f"{folder}: none of its {len(labelled)} clips has a mask; expected files of the same names in a folder "
            f"masks or labels beside one of {', '.join(PICTURE_NAMES)}, or a datalist with labels"
        )
    return labelled


def by_stem(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """Look up clips by their path without ending."""
    found: dict[Path, list[Path]] = {}
    for path in paths:
        found.setdefault(stem_of(path), []).append(path)
    return found


def mask_of(stem: Path, known: Mapping[Path, Sequence[Path]]) -> Path | None:
    """The file of a name, whatever its ending.

    Raises:
        DatalistError: there are several.
    """
    found = known.get(stem, ())
    if len(found) > 1:
        raise DatalistError(_undecided(stem, found))
    return found[0] if found else None


def _find(source: Path, with_masks: bool) -> dict[Path, Path | None]:
    """Clips and their masks; what is held out stays out."""
    if (items := items_of(source)) is not None:
        _check_there(source, items)
        return {item.image: item.label for item in items}
    if not split_address(source)[0].is_file():
        contents = search_folder(source)
        _tell(contents, contents.is_plain and (with_masks or not contents.masks))
        if with_masks and contents.ambiguous:
            raise DatalistError("; ".join(_undecided(clip, masks) for clip, masks in contents.ambiguous.items()))
        return dict(contents.pairs)
    if is_dicom(source) and why_no_picture(source) == "is a DICOM index":
        return _listed(source)
    candidates = MaskFinder({}, [], [], list_masks).candidates(Unit(source, (source,)))
    if len(candidates) > 1:
        raise DatalistError(_undecided(source, candidates))
    return {source: candidates[0] if candidates else None}


def _check_there(source: Path, items: Sequence[ClipItem]) -> None:
    """Refuse a datalist that names clips that are not there: to skip them as unreadable would hide a wrong folder."""
    files = ((str(item.image), split_address(item.image)[0]) for item in items)
    missing = [name for name, file in files if not (file.exists() or is_frame_pattern(file))]
    if missing:
        raise FileNotFoundError(
            f"{source}: {len(missing)} of {len(items)} clips that it names are not there ({first_few(missing)}); move "
            "the datalist back to where its paths start, or make it again"
        )


def _listed(index: Path) -> dict[Path, Path | None]:
    there = [path for path in listed_files(index) if path.is_file() and not why_no_picture(path)]
    if not there:
        raise FileNotFoundError(f"{index}: lists no picture that is there")
    return dict.fromkeys(there)


def _undecided(clip: Path, masks: Sequence[Path]) -> str:
    return f"{clip}: {' and '.join(path.name for path in masks)} could each be its mask"


def _tell(contents: FolderContents, is_plain: bool) -> None:
    """Say what was seen, used and left: in a warning where something was left that could be missed."""
    if is_plain:
        logger.info(contents.describe())
    else:
        warnings.warn(contents.describe(), stacklevel=4)
