# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a segmenter has to know about a data set before it is set up: the place of Auto3DSeg's data analysis.

MONAI's own analysis reads volumes; this one reads clips and stills of any format. Its result is a section of its own,
``clip_stats``, in the file that Auto3DSeg looks for, ``datastats.yaml``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
import yaml

from monai_feat.data import open_clip
from monai_feat.data.clip_masks import MaskFile
from monai_feat.data.mask_values import coded_values
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.documents import read_yaml
from monai_feat.files import write_text
from monai_feat.transforms.labels import UNKNOWN_LABEL
from monai_feat.transforms.video.functional import detect_greyness, sample_times

__all__ = ["ClipStats", "analyze_clips", "read_stats", "write_stats"]

_SECTION = "clip_stats"
_MOST_CLASSES = 32
_FRAMES_TO_LOOK_AT = 16
_GREY = 0.5


@dataclass(frozen=True)
class ClipStats:
    """What the clips of a data set have in common.

    Attributes:
        num_clips: how many there are.
        num_classes: classes of the masks, the background among them.
        image_channels: 1 where all clips are grey, if only stored as RGB, else 3.
        rows: median, in pixels.
        columns: median, in pixels.
        frames: median number of frames.
    """

    num_clips: int
    num_classes: int
    image_channels: int
    rows: int
    columns: int
    frames: int


def analyze_clips(items: Sequence[Mapping[str, Any]], legend: Mapping[int | str, int] | None = None) -> ClipStats:
    """Look at clips and their masks, at most 16 frames of each.

    Args:
        items: dicts with the path ``image``, and ``label`` where there is a mask.
        legend: what the values of masks stand for; without it, they are the classes themselves.

    Raises:
        ValueError: there are no clips, none has a mask, or a mask holds no classes.
        VideoReadError: a file cannot be read, or a mask does not fit its clip.
    """
    labelled = [item for item in items if item.get("label")]
    if not labelled:
        raise ValueError(f"expected clips with masks; got {len(items)} clips, and none has a label")
    files = [open_clip(item["image"]) for item in items]
    return ClipStats(
        num_clips=len(items),
        num_classes=_classes_of(legend) if legend else _num_classes(labelled),
        image_channels=1 if all(_is_grey(file) for file in files) else 3,
        rows=round(median(file.size[0] for file in files)),
        columns=round(median(file.size[1] for file in files)),
        frames=round(median(file.frames for file in files)),
    )


def write_stats(stats: ClipStats, path: str | os.PathLike[str]) -> None:
    """Write them as a ``datastats.yaml`` of Auto3DSeg.

    Raises:
        OSError: the file cannot be written.
    """
    write_text(path, yaml.safe_dump({_SECTION: asdict(stats)}, sort_keys=False))


def read_stats(path: str | os.PathLike[str]) -> ClipStats | None:
    """Read what `write_stats` has written; None of a file of MONAI's own analysis, or where there is none."""
    if not Path(path).is_file():
        return None
    content = read_yaml(path)
    if not isinstance(content, dict) or _SECTION not in content:
        return None
    return ClipStats(**content[_SECTION])


def _is_grey(file: ClipFile) -> bool:
    if file.channels == 1:
        return True
    frames = file.iter_frames(sample_times(file.frames, _FRAMES_TO_LOOK_AT).tolist())
    return detect_greyness(torch.stack(list(frames), dim=1)).confidence >= _GREY


def _classes_of(legend: Mapping[int | str, int]) -> int:
    return 1 + max([1, *(number for number in legend.values() if number != UNKNOWN_LABEL)])


def _num_classes(labelled: Iterable[Mapping[str, Any]]) -> int:
    """One more than the highest class; black and white are two, also where JPEG has blurred them."""
    highest = 1
    for item in labelled:
        clip, mask = open_clip(item["image"]), open_clip(item["label"])
        numbers = sample_times(mask.frames, _FRAMES_TO_LOOK_AT).tolist()
        found = max(int(coded_values(frame, mask.is_lossy).max()) for frame in mask.iter_values(numbers))
        if found >= _MOST_CLASSES:
            list(MaskFile(Path(item["label"]), clip, 2).iter_frames(numbers))
            found = 1
        highest = max(highest, found)
    return highest + 1
