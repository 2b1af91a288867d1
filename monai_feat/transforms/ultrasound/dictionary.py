# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Dictionary twins of `monai_feat.transforms.ultrasound.array`: the field of one clip holds for the whole item."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ensure_tuple_rep

from monai_feat.transforms.each_key import EachKey, OneDraw
from monai_feat.transforms.ultrasound.array import (
    CropToField,
    DetectUltrasoundField,
    MaskOutsideField,
    RandSectorAffine,
    RandSpeckleIntensity,
    Range,
    RemoveStaticOverlay,
)
from monai_feat.transforms.ultrasound.detection import MIN_CONFIDENCE
from monai_feat.transforms.ultrasound.geometry import UltrasoundField
from monai_feat.transforms.ultrasound.record import field_of
from monai_feat.transforms.ultrasound.warp import Interpolation

__all__ = [
    "CropToFieldd",
    "DetectUltrasoundFieldd",
    "MaskOutsideFieldd",
    "RandSectorAffined",
    "RandSpeckleIntensityd",
    "RemoveStaticOverlayd",
]

_Item = dict[Hashable, Any]


def _shared_field(item: Mapping[Hashable, Any], source_key: str, keys: Sequence[Hashable]) -> UltrasoundField:
    """The field of the source, after a look whether all frames are of its size."""
    if source_key not in item:
        raise KeyError(f"the field is taken from {source_key!r}, but the item has only {sorted(map(str, item))}")
    field = field_of(item[source_key])
    for key in keys:
        if item[key].shape[-2:] != field.mask.shape:
            sizes = f"{tuple(item[key].shape[-2:])}, those of {source_key!r} are {tuple(field.mask.shape)}"
            raise ValueError(f"the frames of {key!r} are {sizes}: warp, mask and crop before resizing, or resize both")
    return field


class DetectUltrasoundFieldd(EachKey):
    """Write the field of view of each clip into its metadata; see `DetectUltrasoundField`."""

    transform = DetectUltrasoundField()


class MaskOutsideFieldd(MapTransform):
    """Black out what is outside the field of one clip, in it and in what lies on it; see `MaskOutsideField`.

    Args:
        keys: clips and label maps.
        source_key: the clip whose field counts.
        label_keys: those of the keys whose outside becomes 0, whatever their type.
        min_confidence: below it the item is left alone.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self,
        keys: KeysCollection,
        source_key: str,
        label_keys: Sequence[str] = (),
        min_confidence: float = MIN_CONFIDENCE,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key, self.label_keys = source_key, tuple(label_keys)
        self.transform = MaskOutsideField(min_confidence)

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Mask an item."""
        item = dict(data)
        present = list(self.key_iterator(item))
        field = _shared_field(item, self.source_key, present)
        for key in present:
            item[key] = self.transform(item[key], field, 0.0 if key in self.label_keys else None)
        return item


class RemoveStaticOverlayd(EachKey):
    """Take away what is burnt into each clip; see `RemoveStaticOverlay`.

    Args:
        keys: clips, each with a field and marks of its own.
        min_confidence: below it the field, or the marks, are left alone.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self, keys: KeysCollection, min_confidence: float = MIN_CONFIDENCE, allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = RemoveStaticOverlay(min_confidence)


class CropToFieldd(MapTransform):
    """Crop clips and label maps to the box around the field of one of them; see `CropToField`.

    Args:
        keys: all that is cropped: the clip and what lies on it.
        source_key: the clip whose field counts; it should be one of the keys.
        margin: pixels kept around the box, within the frame.
        min_confidence: below it the item is left alone.
        allow_missing_keys: do not raise where an item has not all keys.

    Raises:
        ValueError: an argument is out of range; on call, a frame differs in size from the source's.
    """

    def __init__(
        self,
        keys: KeysCollection,
        source_key: str,
        margin: int = 0,
        min_confidence: float = MIN_CONFIDENCE,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key = source_key
        self.transform = CropToField(margin, min_confidence)

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Crop all keys to one box."""
        item = dict(data)
        present = list(self.key_iterator(item))
        field = _shared_field(item, self.source_key, present)
        for key in present:
            item[key] = self.transform(item[key], None if key == self.source_key else field)
        return item


class RandSectorAffined(OneDraw):
    """Turn, stretch and mirror clips and their label maps alike, at random; see `RandSectorAffine`.

    Args:
        keys: all that is warped: the clip and what lies on it.
        source_key: the clip whose field counts; it should be one of the keys.
        mode: for each key, ``"bilinear"`` for pixels or ``"nearest"`` for labels.
        prob: probability that anything is done.
        angle: largest turn to either side, radians.
        depth_scale: range of the stretch along the beams.
        mirror_prob: probability of mirroring, if anything is done.
        min_confidence: below it the item is left alone.
        allow_missing_keys: do not raise where an item has not all keys.

    Raises:
        ValueError: an argument is out of range; on call, a frame differs in size from the source's.
    """

    def __init__(
        self,
        keys: KeysCollection,
        source_key: str,
        mode: Interpolation | Sequence[Interpolation] = "bilinear",
        prob: float = 0.5,
        angle: float = 0.1,
        depth_scale: Range = (0.9, 1.1),
        mirror_prob: float = 0.5,
        min_confidence: float = MIN_CONFIDENCE,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key = source_key
        self.modes: tuple[Interpolation, ...] = ensure_tuple_rep(mode, len(self.keys))
        self.transform = RandSectorAffine(prob, angle, depth_scale, mirror_prob, min_confidence)

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Warp all keys alike."""
        item = dict(data)
        self.randomize()
        present = list(self.key_iterator(item, self.modes))
        field = _shared_field(item, self.source_key, [key for key, _ in present])
        for key, mode in present:
            own = None if key == self.source_key else field
            item[key] = self.transform(item[key], own, mode, randomize=False)
        return item


class RandSpeckleIntensityd(OneDraw):
    """Change gain, time gain compensation, dynamic range and speckle of clips at random; see `RandSpeckleIntensity`.

    Args:
        keys: clips; all of an item change alike.
        prob: probability that anything is done.
        gain_db: largest change of the gain either way, dB.
        tgc_db: largest change of the gain at each of five depths either way, dB.
        range_ratio: range of the factor of the dynamic range.
        speckle: range of the strength of the added speckle, in [0, 1].
        dynamic_range_db: what black to white stands for, dB.
        grain: full width at half maximum of the added speckle, pixels.
        min_confidence: below it a clip is left alone.
        allow_missing_keys: do not raise where an item has not all keys.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        prob: float = 0.5,
        gain_db: float = 4.0,
        tgc_db: float = 3.0,
        range_ratio: Range = (0.85, 1.15),
        speckle: Range = (0.0, 0.1),
        dynamic_range_db: float = 60.0,
        grain: float = 3.0,
        min_confidence: float = MIN_CONFIDENCE,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = RandSpeckleIntensity(
            prob, gain_db, tgc_db, range_ratio, speckle, dynamic_range_db, grain, min_confidence
        )

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Change the clips of an item alike."""
        item = dict(data)
        self.randomize()
        for key in self.key_iterator(item):
            item[key] = self.transform(item[key], randomize=False)
        return item


CropToFieldD = CropToFieldDict = CropToFieldd
DetectUltrasoundFieldD = DetectUltrasoundFieldDict = DetectUltrasoundFieldd
MaskOutsideFieldD = MaskOutsideFieldDict = MaskOutsideFieldd
RandSectorAffineD = RandSectorAffineDict = RandSectorAffined
RandSpeckleIntensityD = RandSpeckleIntensityDict = RandSpeckleIntensityd
RemoveStaticOverlayD = RemoveStaticOverlayDict = RemoveStaticOverlayd
