# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How frames of a file become those of a data set: cleaned at full size, resized, in so many channels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

from monai_feat.data.clip_masks import MaskFile, crop_like, crop_of
from monai_feat.data.mask_values import Legend
from monai_feat.data.preprocessing import Preprocessing, preprocess_frames
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.transforms.functional import Fit, resize_clip, to_channels
from monai_feat.transforms.labels import UNKNOWN_LABEL
from monai_feat.transforms.video.functional import resize_labels

__all__ = ["FramePreparation"]

_MOST_AT_ONCE = 128 * 2**20  # bytes of full-size frames that preprocessing sees together


@dataclass(frozen=True)
class FramePreparation:
    """What is done to the frames of a file, all of which preprocessing sees together.

    Attributes:
        size: rows and columns in pixels.
        channels: 3 for RGB, 1 for grey.
        fit: ``crop`` or ``pad``.
        label_channels: classes of masks, whose classes are then one channel more; 0 for no masks.
        legend: what values of masks stand for.
        preprocessing: maps uint8 frames at full size to uint8 frames; None for nothing.
    """

    size: tuple[int, int]
    channels: int
    fit: Fit = "crop"
    label_channels: int = 0
    legend: Legend | None = None
    preprocessing: Preprocessing | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(C, H, W)`` of a prepared frame, its classes included."""
        return (self.channels + bool(self.label_channels), *self.size)

    def parts(self, windows: Tensor, size: tuple[int, int]) -> Iterator[slice]:
        """Split clips, as frame numbers ``(K, T)``, so that the frames of each part fit into memory at full size."""
        if self.preprocessing is None:
            yield slice(None)
            return
        most = _MOST_AT_ONCE // (3 * math.prod(size))
        start = 0
        for stop in range(1, len(windows) + 1):
            if stop == len(windows) or len(windows[start : stop + 1].unique()) > most:
                yield slice(start, stop)
                start = stop

    def prepare(self, file: ClipFile, mask: MaskFile | None, wanted: Sequence[int]) -> Tensor:
        """Read frames, and prepare them: uint8 ``(C, N, H, W)``.

        Raises:
            VideoReadError: the file or the mask cannot be read.
            RuntimeError: preprocessing fails.
            ValueError: preprocessing does what it may not.
        """
        channels, *size = self.shape
        # Small tensors that outlive large ones would fragment the heap by a gigabyte: all room is taken beforehand.
        prepared = torch.empty(channels, len(wanted), *size, dtype=torch.uint8)
        for place, (frame, classes) in enumerate(self._cleaned(file, mask, wanted)):
            prepared[:, place] = self._prepared(frame, classes)
        return prepared

    def _cleaned(
        self, file: ClipFile, mask: MaskFile | None, wanted: Sequence[int]
    ) -> Iterable[tuple[Tensor, Tensor | None]]:
        """The wanted frames, ``(C, H, W)``, after preprocessing, and their classes, ``(1, H, W)``, if there are any."""
        frames = file.iter_frames(wanted)
        classes: Iterable[Tensor | None] = repeat(None, len(wanted)) if mask is None else mask.iter_frames(wanted)
        if self.preprocessing is None:
            return zip(frames, classes, strict=True)
        before, after = preprocess_frames(self.preprocessing, list(frames), file, wanted[0])
        if mask is not None:
            box = crop_of(before, after)
            classes = (crop_like(frame, box) for frame in mask.iter_frames(wanted))
        return zip(torch.as_tensor(after).unbind(1), classes, strict=True)

    def _prepared(self, frame: Tensor, classes: Tensor | None) -> Tensor:
        """One frame, ``(3, H, W)`` or grey ``(1, H, W)``, in the size and the channels of the data set."""
        pixels = to_channels(resize_clip(frame, self.size, self.fit), self.channels)
        if not self.label_channels:
            return pixels
        unknown = pixels.new_full((1, *self.size), UNKNOWN_LABEL)
        return torch.cat([pixels, unknown if classes is None else resize_labels(classes, self.size, self.fit)])
