# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One way in for clips with masks, wherever they come from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from monai_feat.data.datalist import DatalistError, parse_datalist
from monai_feat.data.mask_values import Legend
from monai_feat.data.phantoms import PhantomDataset
from monai_feat.data.segmentation_clips import SegmentationClips
from monai_feat.data.source_names import is_phantom, parse_phantom
from monai_feat.transforms.square import square_frames

__all__ = ["list_segmentation_clips", "open_segmentation_clips"]

_PHANTOM_FRAMES = 8


class _PhantomClips(SegmentationClips):
    """Procedural clips with their exact masks, rendered once."""

    def __init__(self, items: Sequence[Mapping[str, Any]], size: int, channels: int) -> None:
        super().__init__([], size, channels)
        for place, item in enumerate(items):
            kind, number = parse_phantom(item["image"]).kind, item["number"]
            clip = PhantomDataset(kind, number + 1, item["seed"], size, _PHANTOM_FRAMES).clip(number)
            self._kept[place] = torch.cat([square_frames(clip.image, size, channels), clip.mask])
            self.frames.append(_PHANTOM_FRAMES)
            self.sources.append(f"{item['image']} {number}")


def list_segmentation_clips(
    source: str | os.PathLike[str], validation: bool = False, fold: int = 0, num_phantoms: int = 32, seed: int = 0
) -> list[dict[str, Any]]:
    """List one side of a datalist, or procedural clips, for a segmentation, as MONAI's datalists do.

    Args:
        source: a datalist with folds (``.json``), or a phantom, as `monai_feat.data.source_names` says.
        validation: whether to list the clips of the fold instead of all others. Clips without a mask are left out of
            the others.
        fold: number of the fold that validates.
        num_phantoms: how many procedural clips to train with; a quarter of them validates, others.
        seed: of the procedural clips, where the phantom's name has none.

    Returns:
        A dict for each clip, with the paths ``image`` and ``label``; for a phantom, its name, ``seed`` and ``number``.

    Raises:
        DatalistError: it is not a datalist, or has no such fold.
        FileNotFoundError: there is no such file.

    Example:
        >>> list_segmentation_clips("phantom:ultrasound", validation=True, num_phantoms=4)
        [{'image': 'phantom:ultrasound', 'seed': 1, 'number': 0}]
    """
    if is_phantom(source):
        own_seed = parse_phantom(source).seed
        seed = seed if own_seed is None else own_seed
        count = max(1, num_phantoms // 4) if validation else num_phantoms
        return [{"image": str(source), "seed": 2 * seed + validation, "number": number} for number in range(count)]
    if not Path(source).is_file():
        raise FileNotFoundError(
            f"{source}: is not a datalist; make one with folds that keep patients together: "
            "monai-feat datalist FOLDER --masks MASKS --out datalist.json"
        )
    training = parse_datalist(source).training
    if fold not in (folds := sorted({item.fold for item in training if item.fold is not None})):
        raise DatalistError(f"{source}: has no fold {fold}; it has {folds}")
    chosen = [item for item in training if (item.fold == fold) == validation and (validation or item.label)]
    pairs = ({"image": item.image, "label": item.label} for item in chosen)
    return [{key: str(path.absolute()) for key, path in pair.items() if path} for pair in pairs]


def open_segmentation_clips(
    data: Sequence[Mapping[str, Any]], size: int, channels: int, num_classes: int = 2, legend: Legend | None = None
) -> SegmentationClips:
    """Open what `list_segmentation_clips` lists, or any list of dicts with the paths ``image`` and ``label``.

    Args:
        data: the clips.
        size: rows and columns.
        channels: 1 for grey, 3 for RGB.
        num_classes: classes of the masks, the background among them.
        legend: what the values or colours of masks stand for; procedural clips need none.

    Raises:
        DatalistError: a file cannot be read or does not fit.
        ValueError: an argument is out of range, or there is no such phantom.
    """
    if data and is_phantom(str(data[0].get("image"))):
        return _PhantomClips(data, size, channels)
    return SegmentationClips(data, size, channels, num_classes, legend=legend)
