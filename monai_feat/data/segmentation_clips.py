# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips with their masks at one frame size, checked as a whole before anything is trained on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from monai_feat.data.clip_masks import MaskFile, MaskReadings
from monai_feat.data.datalist import DatalistError, path_of
from monai_feat.data.mask_values import Legend
from monai_feat.data.readers.clip_file import ClipFile, warn_of_remarks
from monai_feat.data.readers.load import open_clip
from monai_feat.data.video_reader import VideoReadError
from monai_feat.transforms.functional import to_unit_range
from monai_feat.transforms.labels import UNKNOWN_LABEL, check_label_channels
from monai_feat.transforms.square import square_frames
from monai_feat.transforms.video.functional import resize_labels, to_and_fro

__all__ = ["SegmentationClips"]

_MEMORY = 2**30


@dataclass(frozen=True)
class _Pair:
    """A clip on disk and its mask, if it has one."""

    clip: ClipFile
    mask: MaskFile | None

    def iter_frames(self, numbers: Sequence[int], size: int, channels: int) -> Iterator[Tensor]:
        """Yield frames of the square size, uint8 ``(channels, size, size)``, with the mask as one channel more."""
        frames = self.clip.iter_frames(numbers)
        if self.mask is None:
            yield from (square_frames(frame, size, channels) for frame in frames)
            return
        for frame, classes in zip(frames, self.mask.iter_frames(numbers), strict=True):
            yield torch.cat([square_frames(frame, size, channels), resize_labels(classes, size, "pad")])


class SegmentationClips(Dataset[dict[str, Any]]):
    """Clips and masks of any formats and sizes, as squares of one size on black.

    Every file is decoded once on construction, which finds all that is wrong with any of them. The frames are kept in
    memory as far as they fit into 1 GiB; those of further clips are decoded when they are asked for.

    An item is a whole clip: ``image``, float32 in [-1, 1], ``(C, T, size, size)``; ``label``, the classes, uint8
    ``(1, T, size, size)``, where there are masks; ``source``, the file.

    Args:
        items: dicts with the paths ``image`` and, where there are masks, ``label``; other keys are ignored.
        size: rows and columns.
        channels: 1 for grey, 3 for RGB.
        num_classes: classes of the masks, the background among them; 0 for clips without masks.
        progress: show a bar while reading.
        legend: what the values or colours of masks stand for, see `ClipFolderDataset`.

    Attributes:
        frames: number of frames of each clip.
        sources: its file.

    Raises:
        DatalistError: names every file that cannot be read or does not fit, and why.
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        items: Sequence[Mapping[str, Any]],
        size: int,
        channels: int,
        num_classes: int = 2,
        progress: bool = False,
        legend: Legend | None = None,
    ) -> None:
        if num_classes:
            check_label_channels(num_classes)
        if channels not in (1, 3) or size < 1:
            raise ValueError(f"expected 1 or 3 channels and a size from 1, got {channels} and {size}")
        self.size, self.channels, self.num_classes = size, channels, num_classes
        self.legend, self._readings = legend, MaskReadings()
        self.frames: list[int] = []
        self.sources: list[str] = []
        self._pairs: list[_Pair] = []
        self._kept: dict[int, Tensor] = {}
        shown = tqdm(items, desc="reading clips", unit="clip", disable=not progress)
        if complaints := [complaint for complaint in map(self._complaint_after_adding, shown) if complaint]:
            reasons = "\n  ".join(complaints)
            raise DatalistError(f"{len(complaints)} of {len(items)} clips cannot be used:\n  {reasons}")

        warn_of_remarks({pair.clip.path: pair.clip.remarks for pair in self._pairs}, stacklevel=2)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> dict[str, Any]:
        index = range(len(self))[index]
        item: dict[str, Any] = {"source": self.sources[index]}
        image, label = self.window(index, 0, self.frames[index])
        item["image"] = to_unit_range(image)
        return item if label is None else {**item, "label": label}

    def window(self, index: int, start: int, length: int) -> tuple[Tensor, Tensor | None]:
        """Take consecutive frames of a clip; one that is too short is played to and fro.

        Returns:
            Pixels, uint8 ``(C, length, size, size)``, and classes, uint8 ``(1, length, size, size)``, or None.
        """
        numbers = to_and_fro(torch.arange(start, start + length), self.frames[index])
        if index in self._kept:
            frames = self._kept[index][:, numbers]
        else:
            wanted, places = numbers.unique(return_inverse=True)
            frames = self._decode(self._pairs[index], wanted.tolist())[:, places]
        return frames[: self.channels], frames[self.channels :] if self.num_classes else None

    def _complaint_after_adding(self, item: Mapping[str, Any]) -> str | None:
        try:
            self._add(item)
        except (VideoReadError, DatalistError) as error:
            return str(error)
        return None

    def _add(self, item: Mapping[str, Any]) -> None:
        pair = self._open(item)
        frames = self._decode(pair, range(pair.clip.frames))
        if sum(kept.nbytes for kept in self._kept.values()) + frames.nbytes <= _MEMORY:
            self._kept[len(self._pairs)] = frames
        self._pairs.append(pair)
        self.frames.append(pair.clip.frames)
        self.sources.append(str(pair.clip.path))

    def _open(self, item: Mapping[str, Any]) -> _Pair:
        clip = open_clip(path_of(item, "image"))
        if not self.num_classes:
            return _Pair(clip, None)
        mask = MaskFile(path_of(item, "label"), clip, self.num_classes, self.legend)
        self._readings.add(mask.reading.how, mask.file.path)
        if UNKNOWN_LABEL in mask.reading.classes.values():
            raise VideoReadError(mask.file.path, "holds pixels of unknown class, which segmentation cannot leave out")
        return _Pair(clip, mask)

    def _decode(self, pair: _Pair, numbers: Sequence[int]) -> Tensor:
        """uint8 ``(C + 1, T, size, size)``, or ``(C, T, size, size)`` without masks."""
        channels = self.channels + bool(self.num_classes)
        clip = torch.empty(channels, len(numbers), self.size, self.size, dtype=torch.uint8)
        for t, frame in enumerate(pair.iter_frames(numbers, self.size, self.channels)):
            clip[:, t] = frame
        return clip
