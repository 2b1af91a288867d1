# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Dictionary twins of `monai_feat.transforms.video.array`: the same transforms on items of a data set."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ensure_tuple_rep

from monai_feat.transforms.each_key import EachKey, OneDraw
from monai_feat.transforms.functional import Fit
from monai_feat.transforms.video.array import (
    DropFalseColour,
    RandSampleFrames,
    ResampleFrameRate,
    ResizeClip,
    ResizeLabels,
    SampleFrames,
    ToUint8,
    ToUnitRange,
)
from monai_feat.transforms.video.functional import FrameSampling, OnShort, TimeFilter
from monai_feat.transforms.video.meta import frame_rate_of

__all__ = [
    "DropFalseColourd",
    "RandSampleFramesd",
    "ResampleFrameRated",
    "ResizeClipd",
    "ResizeLabelsd",
    "SampleFramesd",
    "ToUint8d",
    "ToUnitRanged",
]

_Item = dict[Hashable, Any]


def _rate(item: Mapping[Hashable, Any], key: Hashable) -> float | None:
    """A clip's frame rate by its metadata, otherwise by the item's ``frame_rate``."""
    return frame_rate_of(item[key]) or item.get("frame_rate")


def _with_rate(item: _Item, key: Hashable) -> _Item:
    """Keep the item's ``frame_rate``, if it has one, equal to that of its clips."""
    if "frame_rate" in item and (rate := frame_rate_of(item[key])):
        item["frame_rate"] = rate
    return item


class SampleFramesd(MapTransform):
    """Take one clip out of a longer one under each key, the same frames; see `SampleFrames`.

    Args:
        keys: clips of equal length.
        sampling: how many frames, how far apart; also as a dict of the arguments of `FrameSampling`.
        position: where in the room that there is, from 0 to 1.
        on_short: ``"error"`` or ``"loop"``.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self,
        keys: KeysCollection,
        sampling: FrameSampling | dict[str, Any],
        position: float = 0.0,
        on_short: OnShort = "error",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.sampler = SampleFrames(sampling, position, on_short)

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Take the frames; the item's ``frame_rate`` (Hz) serves clips without metadata, and is kept right."""
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = self.sampler(item[key], _rate(data, key))
            _with_rate(item, key)
        return item


class RandSampleFramesd(OneDraw):
    """Take one clip anywhere out of a longer one, the same frames under each key; see `RandSampleFrames`.

    Args:
        keys: clips of equal length.
        sampling: how many frames, how far apart; also as a dict of the arguments of `FrameSampling`.
        on_short: ``"error"`` or ``"loop"``.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self,
        keys: KeysCollection,
        sampling: FrameSampling | dict[str, Any],
        on_short: OnShort = "error",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = RandSampleFrames(sampling, on_short)

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Draw a place, then take the frames; ``frame_rate`` as in `SampleFramesd`."""
        item = dict(data)
        self.randomize()
        for key in self.key_iterator(item):
            item[key] = self.transform(item[key], _rate(data, key), randomize=False)
            _with_rate(item, key)
        return item


class ResampleFrameRated(MapTransform):
    """Bring the clips under the keys to a frame rate; see `ResampleFrameRate`.

    Args:
        keys: clips.
        frame_rate: Hz.
        time_filter: ``"area"`` or ``"nearest"``, one for all or one for each key; labels want ``"nearest"``.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self,
        keys: KeysCollection,
        frame_rate: float,
        time_filter: TimeFilter | Sequence[TimeFilter] = "area",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        filters = ensure_tuple_rep(time_filter, len(self.keys))
        self.resamplers = tuple(ResampleFrameRate(frame_rate, each) for each in filters)

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Resample; ``frame_rate`` as in `SampleFramesd`."""
        item = dict(data)
        for key, resampler in self.key_iterator(item, self.resamplers):
            item[key] = resampler(item[key], _rate(data, key))
            _with_rate(item, key)
        return item


class ResizeClipd(EachKey):
    """Resize the clips under the keys; see `ResizeClip`.

    Args:
        keys: clips ``(C, T, H, W)``.
        size: rows and columns; one number for both.
        fit: ``"crop"`` or ``"pad"``.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self, keys: KeysCollection, size: int | Sequence[int], fit: Fit = "crop", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = ResizeClip(size, fit)


class ResizeLabelsd(EachKey):
    """Resize the label maps under the keys as `ResizeClipd` resizes clips; see `ResizeLabels`.

    Args:
        keys: label maps ``(1, T, H, W)``.
        size: rows and columns; one number for both.
        fit: ``"crop"`` or ``"pad"``.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self, keys: KeysCollection, size: int | Sequence[int], fit: Fit = "crop", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = ResizeLabels(size, fit)


class ToUnitRanged(EachKey):
    """Map the clips under the keys from uint8 to float32 in [-1, 1]."""

    transform = ToUnitRange()


class ToUint8d(EachKey):
    """Map the clips under the keys from float in [-1, 1] to uint8."""

    transform = ToUint8()


class DropFalseColourd(EachKey):
    """Make one channel of those clips under the keys that are grey; see `DropFalseColour`.

    Args:
        keys: clips.
        min_confidence: below it a clip keeps its three channels.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(self, keys: KeysCollection, min_confidence: float = 0.5, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = DropFalseColour(min_confidence)


DropFalseColourD = DropFalseColourDict = DropFalseColourd
RandSampleFramesD = RandSampleFramesDict = RandSampleFramesd
ResampleFrameRateD = ResampleFrameRateDict = ResampleFrameRated
ResizeClipD = ResizeClipDict = ResizeClipd
ResizeLabelsD = ResizeLabelsDict = ResizeLabelsd
SampleFramesD = SampleFramesDict = SampleFramesd
ToUint8D = ToUint8Dict = ToUint8d
ToUnitRangeD = ToUnitRangeDict = ToUnitRanged
