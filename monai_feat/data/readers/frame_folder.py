# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of still images as one clip."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from torch import Tensor

from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.video_reader import STILL_SUFFIXES, VideoReadError, read_still

__all__ = ["FrameFolder", "is_frame_folder", "list_stills", "natural_key"]


class FrameFolder(ClipFile):
    """A folder whose still images are the frames of one clip, in natural order of their names (``9.png``, ``10.png``).

    Files that are no images are left out, and so are hidden ones. Such a clip has no frame rate of its own.

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
    """The images directly in a folder, in natural order, without hidden files."""
    stills = [path for path in Path(folder).iterdir() if path.suffix.lower() in STILL_SUFFIXES and path.name[0] != "."]
    return sorted(stills, key=lambda path: natural_key(path.name))


def is_frame_folder(folder: str | os.PathLike[str]) -> bool:
    """Whether the names in a folder look like frames: images only, counted up one by one without a gap.

    Two or more images whose names differ in nothing but one number do so (``img_0001.jpg``, ``img_0002.jpg``); a
    collection of stills has gaps or names of its own.
    """
    stills = list_stills(folder)
    entries = [path for path in Path(folder).iterdir() if path.name[0] != "."]
    if len(stills) < 2 or len(entries) != len(stills):
        return False
    parts = [re.split(r"(\d+)", path.name) for path in stills]
    if any(len(names) != len(parts[0]) for names in parts):
        return False
    changing = [i for i, column in enumerate(zip(*parts, strict=True)) if len(set(column)) > 1]
    # re.split puts the digits at the odd places.
    if len(changing) != 1 or changing[0] % 2 == 0:
        return False
    return all(int(b[changing[0]]) - int(a[changing[0]]) == 1 for a, b in pairwise(parts))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorting key by which ``2.png`` comes before ``10.png``."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part]
