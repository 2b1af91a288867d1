# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Enhanced US Volumes (PS3.3 A.59): which frames of one are a slice over time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedUSVolumeStorage

from monai_feat.data.limits import check_frames
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import UNKNOWN_SPACING

__all__ = ["Volume", "check_number_of_frames", "volume_of"]

# Attributes by which frames of one slice differ (PS3.3 C.8.24.3).
_TIMES = [tag_for_keyword(keyword) for keyword in ("TemporalPositionTimeOffset", "TemporalPositionIndex")]
_STILL_VOLUME = "its frames are the slices of a volume, not moments of a clip"


@dataclass(frozen=True)
class Volume:
    """The part of a volume that is read as a clip.

    Attributes:
        places: numbers of its frames in the file, in order of time.
        frame_rate: in Hz; 0.0 where the file does not say.
        spacing: height and width of a pixel in mm.
        remarks: what is to be known about it.
    """

    places: Sequence[int]
    frame_rate: float
    spacing: tuple[float, float]
    remarks: tuple[str, ...] = ()


def check_number_of_frames(path: str | os.PathLike[str], frames: int, pixel_bytes: int) -> None:
    """Refuse more frames than there are bytes of pixels, before anything is done for each of them."""
    if frames > pixel_bytes + 1:
        check_frames(path, frames, (1, 1))
        raise VideoReadError(path, f"is truncated: {pixel_bytes} bytes of pixels are there for {frames} frames")


def volume_of(path: str | os.PathLike[str], header: Dataset, frames: int, slice_index: int | None) -> Volume | None:
    """What is read of an Enhanced US Volume: one slice over time, or all slices of one moment; None of other images.

    Args:
        path: for messages.
        header: all attributes but the pixels.
        frames: number of frames.
        slice_index: which slice, from 0, in the order of the file's dimension indices.

    Raises:
        VideoReadError: there are several slices at several times and none was chosen, or there is no such slice.
    """
    if str(header.get("SOPClassUID", "")) != EnhancedUSVolumeStorage:
        if slice_index is not None:
            raise VideoReadError(path, "is not an Enhanced US Volume: leave slice_index out")
        return None
    slices = _slices(header, frames)
    moments = max(map(len, slices))
    spacing = _spacing(header)
    if moments == 1 and slice_index is None:
        return Volume(tuple(place for (place,) in slices), 0.0, spacing, (_STILL_VOLUME,) if len(slices) > 1 else ())
    if slice_index is None and len(slices) > 1:
        raise VideoReadError(
            path, f"holds {len(slices)} slices at {moments} times; choose one: slice_index=0 to {len(slices) - 1}"
        )
    if not 0 <= (slice_index or 0) < len(slices):
        raise VideoReadError(path, f"holds {len(slices)} slices; there is no slice_index={slice_index}")
    places = slices[slice_index or 0]
    return Volume(places, _rate(header, places), spacing)


def _slices(header: Dataset, frames: int) -> list[list[int]]:
    """Numbers of the frames of each slice, in order of time."""
    pointers = [int(item.DimensionIndexPointer) for item in header.get("DimensionIndexSequence") or []]
    groups = list(header.get("PerFrameFunctionalGroupsSequence") or [])
    if len(groups) != frames or not pointers:
        raise ValueError(f"{frames} frames, {len(groups)} groups of attributes and {len(pointers)} dimensions")
    found: dict[tuple[int, ...], list[tuple[tuple[int, ...], int]]] = {}
    for number, group in enumerate(groups):
        value = group.FrameContentSequence[0].DimensionIndexValues
        indices = [int(i) for i in ([value] if isinstance(value, int) else value)]
        where = tuple(i for i, pointer in zip(indices, pointers, strict=True) if pointer not in _TIMES)
        when = tuple(i for i, pointer in zip(indices, pointers, strict=True) if pointer in _TIMES)
        found.setdefault(where, []).append((when, number))
    return [[number for _, number in sorted(found[where])] for where in sorted(found)]


def _rate(header: Dataset, places: Sequence[int]) -> float:
    """Frames per second by the time offsets in milliseconds of the first and the last frame."""
    groups = header.PerFrameFunctionalGroupsSequence
    offsets = []
    for place in (places[0], places[-1]):
        items = groups[place].get("TemporalPositionSequence") or [Dataset()]
        offsets.append(items[0].get("TemporalPositionTimeOffset"))
    if None in offsets or offsets[1] <= offsets[0]:
        return 0.0
    return (len(places) - 1) / float(offsets[1] - offsets[0])


def _spacing(header: Dataset) -> tuple[float, float]:
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    measures = (shared.get("PixelMeasuresSequence") or [Dataset()])[0]
    steps = [float(step) for step in measures.get("PixelSpacing") or []]
    return (steps[0], steps[1]) if len(steps) == 2 and min(steps) > 0 else UNKNOWN_SPACING
