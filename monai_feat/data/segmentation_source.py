# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One way in for clips with masks, wherever they come from."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from monai_feat.data.datalist import DatalistError, parse_datalist
from monai_feat.data.phantoms import PhantomDataset
from monai_feat.data.segmentation_clips import SegmentationClips
from monai_feat.data.sources import PHANTOM_PREFIX
from monai_feat.transforms.square import square_frames

__all__ = ["open_segmentation_clips"]

_PHANTOM_FRAMES = 8


class _PhantomClips(SegmentationClips):
    """Procedural clips with their exact masks, rendered once."""

    def __init__(self, kind: str, num_clips: int, seed: int, size: int, channels: int) -> None:
        super().__init__([], size, channels)
        phantoms = PhantomDataset(kind, num_clips, seed, size, _PHANTOM_FRAMES)
        for number in range(num_clips):
            clip = phantoms.clip(number)
            self._kept[number] = torch.cat([square_frames(clip.image, size, channels), clip.mask])
            self.frames.append(_PHANTOM_FRAMES)
            self.sources.append(f"{PHANTOM_PREFIX}{kind} {number}")


def open_segmentation_clips(
    source: str | os.PathLike[str],
    size: int,
    channels: int,
    num_classes: int = 2,
    validation: bool = False,
    fold: int = 0,
    num_phantoms: int = 32,
    seed: int = 0,
) -> SegmentationClips:
    """Open one side of a datalist, or procedural clips, for a segmentation.

    Args:
        source: a datalist with folds (``.json``), or ``phantom:`` and the name of a phantom.
        size: rows and columns.
        channels: 1 for grey, 3 for RGB.
        num_classes: classes of the masks, the background among them.
        validation: whether to open the clips of the fold instead of all others. Clips without a mask are left out of
            the others.
        fold: number of the fold that validates.
        num_phantoms: how many procedural clips to train with; a quarter of them validates, others.
        seed: of the procedural clips.

    Raises:
        DatalistError: it is no datalist, has no such fold, or its files do not fit.
        FileNotFoundError: there is no such file.
        ValueError: an argument is out of range, or there is no such phantom.
    """
    if str(source).startswith(PHANTOM_PREFIX):
        count = max(1, num_phantoms // 4) if validation else num_phantoms
        kind = str(source).removeprefix(PHANTOM_PREFIX)
        return _PhantomClips(kind, count, 2 * seed + validation, size, channels)
    if not Path(source).is_file():
        raise FileNotFoundError(
            f"{source}: is no datalist; make one with folds that keep patients together: "
            "monai-feat datalist FOLDER --masks MASKS --out datalist.json"
        )
    training = parse_datalist(source).training
    if fold not in (folds := sorted({item.fold for item in training if item.fold is not None})):
        raise DatalistError(f"{source}: has no fold {fold}; it has {folds}")
    chosen = [item for item in training if (item.fold == fold) == validation and (validation or item.label)]
    items = [{"image": item.image, "label": item.label} for item in chosen]
    return SegmentationClips(items, size, channels, num_classes)
