# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of still images as one clip."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor

from monai_feat.data.folder_search.series import FRAME_NUMBER, matches_pattern, natural_key, split_masks
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.still import StillFile
from monai_feat.data.readers.tiff import open_still
from monai_feat.data.video_reader import STILL_SUFFIXES

_LOSSY_SUFFIXES = (".jpg", ".jpeg")

__all__ = ["FrameFolder", "is_frame_pattern", "list_stills"]


class FrameFolder(ClipFile):
    """A folder whose still images are the frames of one clip, in natural order of their names (``9.png``, ``10.png``).

    Other files are left out, and so are hidden images and masks; see `list_stills`. Such a clip has no frame
    rate of its own.

    Raises:
        VideoReadError: the folder holds no image, or its first image cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._stills = list_stills(path)
        if not self._stills:
            raise VideoReadError(path, f"is a folder without frames; looked for {' '.join(STILL_SUFFIXES)}")
        super().__init__(path, len(self._stills), 0.0, open_still(self._stills[0]).size)
        self.is_lossy = any(still.suffix.lower() in _LOSSY_SUFFIXES for still in self._stills)

    def _decode_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for number in numbers:
            yield from self._still(number).iter_values([0])

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for number in numbers:
            yield from self._still(number).iter_frames([0])

    def _still(self, number: int) -> StillFile:
        still = open_still(self._stills[number])
        if still.frames != 1:
            raise VideoReadError(still.path, f"holds {still.frames} pictures, where one frame of a clip was expected")
        if still.size != self.size:
            there, first = (f"{rows} x {columns}" for rows, columns in (still.size, self.size))
            raise VideoReadError(
                still.path, f"has {there} pixels, the first frame {first}: these are not frames of a clip"
            )
        return still


def list_stills(folder: str | os.PathLike[str]) -> list[Path]:
    """The images of a clip in natural order: those of a folder, or those that a pattern names (``a/frame_%d.png``).

    Hidden files are left out, and so are masks that are named after an image beside them (``a_mask.png``).
    """
    folder = Path(folder)
    pattern = None if folder.is_dir() else folder
    there = (folder if pattern is None else folder.parent).iterdir()
    stills = [path for path in there if path.suffix.lower() in STILL_SUFFIXES and path.name[0] != "."]
    if pattern is not None:
        stills = [path for path in stills if matches_pattern(pattern, path.name)]
    else:
        masks = split_masks(stills, {path: path.stem for path in stills})
        stills = [path for path in stills if path not in masks]
    return sorted(stills, key=lambda path: natural_key(path.name))


def is_frame_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether a path is not a file, but names the frames of a clip that share a folder with others."""
    path = Path(path)
    return FRAME_NUMBER in path.name and path.parent.is_dir() and not path.exists()
