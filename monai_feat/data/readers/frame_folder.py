# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of still images as one clip."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor

from monai_feat.data.folder_search.series import FRAME_NUMBER, matches_pattern, natural_key, split_masks
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.video_reader import STILL_SUFFIXES, VideoReadError, read_still

__all__ = ["FrameFolder", "is_frame_pattern", "list_stills"]


class FrameFolder(ClipFile):
    """A folder whose still images are the frames of one clip, in natural order of their names (``9.png``, ``10.png``).

    Files that are no images are left out, and so are hidden ones and masks; see `list_stills`. Such a clip has no frame
    rate of its own.

    Raises:
        VideoReadError: the folder holds no image, or its first image cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._stills = list_stills(path)
        if not self._stills:
            raise VideoReadError(path, f"is a folder without frames; looked for {' '.join(STILL_SUFFIXES)}")
        first = read_still(self._stills[0])
        super().__init__(path, len(self._stills), 0.0, (first.shape[-2], first.shape[-1]))

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for number in numbers:
            frame = read_still(self._stills[number])
            if (size := tuple(frame.shape[-2:])) != self.size:
                there, first = f"{size[0]} x {size[1]}", f"{self.size[0]} x {self.size[1]}"
                raise VideoReadError(
                    self._stills[number], f"has {there} pixels, the first frame {first}: these are no frames of a clip"
                )
            yield frame


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
    """Whether a path is no file, but names the frames of a clip that share a folder with others."""
    path = Path(path)
    return FRAME_NUMBER in path.name and path.parent.is_dir() and not path.exists()
