# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which clips are in a folder, and which mask belongs to which clip."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from monai_feat.data.datalist import DatalistError, read_datalist
from monai_feat.data.readers.dicom import is_dicom
from monai_feat.data.readers.frame_folder import is_frame_folder, natural_key
from monai_feat.data.readers.load import CLIP_FILE_SUFFIXES
from monai_feat.data.video_reader import STILL_SUFFIXES, VIDEO_SUFFIXES

__all__ = ["by_stem", "find_clips", "find_labelled_clips", "mask_of", "stem_of"]

DATALIST_SUFFIX = ".json"
_SUFFIXES = VIDEO_SUFFIXES + STILL_SUFFIXES + CLIP_FILE_SUFFIXES
_ENDINGS = sorted(_SUFFIXES, key=len, reverse=True)
_PICTURE_FOLDERS = ("clips", "frames", "image", "images", "pictures", "videos")
_MASK_FOLDERS = ("annotation", "annotations", "label", "labels", "mask", "masks", "segmentation", "segmentations")


def find_clips(folder: str | os.PathLike[str]) -> list[Path]:
    """List the clips in a folder and all folders below it, in natural order (``2.mp4`` before ``10.mp4``).

    Files are recognised by suffix, in upper or lower case, and DICOM files without suffix by content; hidden files are
    left out. A folder below the given one whose images are counted up without a gap (``0001.jpg``, ``0002.jpg``) is one
    clip, its path; other images, and all that lie in the given folder itself, are clips of one frame. Folders of masks
    beside one of pictures (``masks`` beside ``images``) are left out, with a warning; give such a folder itself to have
    its masks read as clips, and see `find_labelled_clips` to use them as masks.

    Args:
        folder: a folder; a datalist (``.json``), whose training clips are returned; or one clip, which is returned.

    Returns:
        At least one path.

    Raises:
        DatalistError: the datalist is none, or leaks.
        FileNotFoundError: there is no such folder, or no clip in it; says what was looked for and what was found.
    """
    folder = Path(folder)
    if folder.is_file():
        return list(_listed(folder)) if folder.suffix.lower() == DATALIST_SUFFIX else [folder]
    clips, masks, num_masks = _search(folder)
    if masks:
        names = ", ".join(sorted(map(str, masks)))
        warnings.warn(f"{num_masks} files are taken for masks and left out: {names}", stacklevel=2)
    return clips


def find_labelled_clips(folder: str | os.PathLike[str]) -> dict[Path, Path | None]:
    """List clips as `find_clips` does, each with its mask, or None for one that has none.

    The mask of ``images/a/b.mp4`` is ``masks/a/b.nii.gz``: the file, or the folder of frames, of the same name, in any
    format, in a folder of masks (``masks``, ``labels``, ``annotations``, ``segmentations``, in the singular too) beside
    the one of pictures (``images``, ``videos``, ``frames``, ``clips``, ``pictures``). A datalist names masks itself.

    Raises:
        DatalistError: two files could be the mask of one clip; or as `find_clips`.
        FileNotFoundError: no clip has a mask; or as `find_clips`.
    """
    folder = Path(folder)
    if folder.is_file() and folder.suffix.lower() == DATALIST_SUFFIX:
        labelled = _listed(folder)
    else:
        clips = [folder] if folder.is_file() else _search(folder)[0]
        tables: dict[Path, Mapping[Path, Sequence[Path]]] = {}
        labelled = {clip: _mask_beside(clip, tables) for clip in clips}
    if not any(labelled.values()):
        raise FileNotFoundError(
            f"{folder}: none of its {len(labelled)} clips has a mask; expected files of the same names in a folder "
            f"masks or labels beside one of {', '.join(_PICTURE_FOLDERS)}, or a datalist with labels"
        )
    return labelled


def stem_of(path: Path) -> Path:
    """A path without the ending of a known format; a folder of frames has none."""
    name = path.name.lower()
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), "")
    return path.with_name(path.name[: len(name) - len(ending)])


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
        raise DatalistError(f"{stem}: {' and '.join(path.name for path in found)} could both be its mask")
    return found[0] if found else None


def _listed(datalist: Path) -> dict[Path, Path | None]:
    """Training clips of a datalist and their masks; what is held out stays out."""
    return {item.image: item.label for item in read_datalist(datalist).training}


def _search(folder: Path) -> tuple[list[Path], set[Path], int]:
    """The clips of a folder, the folders of masks in it, and the number of files in these."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected a folder of clips, or one clip")
    there = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    masks = {folder / mask for mask in _mask_folders(path.relative_to(folder) for path in there)}
    files = [path for path in there if masks.isdisjoint(path.parents)]
    frame_folders = {parent for parent in {path.parent for path in files} - {folder} if is_frame_folder(parent)}
    clips = [path for path in files if path.parent not in frame_folders and _looks_like_a_clip(path)]
    clips.extend(frame_folders)
    if not clips:
        found = Counter(path.suffix.lower() or "without suffix" for path in files)
        listed = ", ".join(f"{count} x {suffix}" for suffix, count in found.most_common(8)) or "no file at all"
        looked_for = " ".join(_SUFFIXES)
        raise FileNotFoundError(f"{folder}: no clips in this folder or below; looked for {looked_for}; found {listed}")
    ordered = sorted(clips, key=lambda path: natural_key(path.relative_to(folder).as_posix()))
    return ordered, masks, len(there) - len(files)


def _mask_folders(files: Iterable[Path]) -> set[Path]:
    """The folders of masks beside one of pictures that some files lie in."""
    inside = {parent for path in files for parent in path.parents}
    beside = {parent.parent for parent in inside if parent.name.lower() in _PICTURE_FOLDERS}
    return {parent for parent in inside if parent.name.lower() in _MASK_FOLDERS and parent.parent in beside}


def _mask_beside(clip: Path, tables: dict[Path, Mapping[Path, Sequence[Path]]]) -> Path | None:
    """The mask of one clip; `tables` remembers what is in the folders of masks."""
    for pictures in _picture_folders(clip):
        for masks in sorted(path for path in pictures.parent.iterdir() if path.name.lower() in _MASK_FOLDERS):
            if pictures == clip:  # the folder of pictures is itself a clip, frame by frame
                return masks
            if masks not in tables:
                tables[masks] = by_stem(_search(masks)[0])
            if found := mask_of(stem_of(masks / clip.relative_to(pictures)), tables[masks]):
                return found
    return None


def _picture_folders(clip: Path) -> Iterator[Path]:
    """The folders of pictures that a clip lies in, or is, innermost first."""
    for path in (clip, *clip.parents):
        if path.name.lower() in _PICTURE_FOLDERS and path.is_dir():
            yield path


def _looks_like_a_clip(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES) or (not path.suffix and is_dicom(path))
