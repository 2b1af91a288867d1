# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Dictionary twins of `monai_feat.transforms.endoscopy.array`: what is found in one clip holds for the whole item."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import InvertibleTransform, MapTransform

from monai_feat.transforms.each_key import EachKey
from monai_feat.transforms.endoscopy.array import (
    CropToFieldOfView,
    DetectFieldOfView,
    DetectSpecularHighlights,
    MaskBurntIn,
    RemoveBurntIn,
    describe,
)
from monai_feat.transforms.endoscopy.field_of_view import detect_field_of_view
from monai_feat.transforms.video.meta import carry_meta, plain

__all__ = ["CropToFieldOfViewd", "DetectFieldOfViewd", "DetectSpecularHighlightsd", "MaskBurntInd", "RemoveBurntInd"]

_Item = dict[Hashable, Any]


class DetectFieldOfViewd(EachKey):
    """Write the field of view of each clip into its metadata; see `DetectFieldOfView`."""

    transform = DetectFieldOfView()


class CropToFieldOfViewd(MapTransform, InvertibleTransform):
    """Crop clips and label maps to the field of view of one of them; see `CropToFieldOfView`.

    Args:
        keys: all that is cropped: the clip and what lies on it.
        source_key: the clip whose field is looked for.
        margin: pixels kept around the box, within the frame.
        min_confidence: below it nothing is cropped.
        allow_missing_keys: do not raise where an item has not all keys.

    Raises:
        ValueError: an argument is out of range; on call, a frame differs in size from the source's.
    """

    def __init__(
        self,
        keys: KeysCollection,
        source_key: str,
        margin: int = 0,
        min_confidence: float = 0.5,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.source_key = source_key
        self.cropper = CropToFieldOfView(margin, min_confidence)

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Crop all keys to one box."""
        item = dict(data)
        view = detect_field_of_view(plain(data[self.source_key]))
        for key in self.key_iterator(item):
            pixels = plain(item[key])
            if pixels.shape[-2:] != view.mask.shape:
                sizes = f"{tuple(pixels.shape[-2:])}, that of {self.source_key!r} is {tuple(view.mask.shape)}"
                raise ValueError(f"the frame of {key!r} is {sizes}: crop before resizing, or resize both alike")
            described = carry_meta(item[key], pixels, {"field_of_view": describe(view)})
            item[key] = self.cropper.crop(described, self.cropper.box(view))
        return item

    def inverse(self, data: Mapping[Hashable, Any]) -> _Item:
        """Put back around each key what was cut off."""
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = self.cropper.inverse(item[key])
        return item


class MaskBurntInd(EachKey):
    """Black out text, insets and the surround in the clips under the keys; see `MaskBurntIn`.

    Args:
        keys: clips, each searched for itself.
        min_confidence: regions below it stay.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(self, keys: KeysCollection, min_confidence: float = 0.5, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = MaskBurntIn(min_confidence)


class RemoveBurntInd(MaskBurntInd):
    """Take away what is burnt into the clips under the keys; see `RemoveBurntIn`, and `MaskBurntInd` for arguments."""

    def __init__(self, keys: KeysCollection, min_confidence: float = 0.5, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, min_confidence, allow_missing_keys)
        self.transform = RemoveBurntIn(min_confidence)


class DetectSpecularHighlightsd(MapTransform):
    """Add to each clip the mask of its specular highlights; see `DetectSpecularHighlights`.

    Args:
        keys: RGB clips.
        min_confidence: below it nothing is marked.
        postfix: the mask of ``key`` is put under ``key_postfix``.
        allow_missing_keys: do not raise where an item has not all keys.
    """

    def __init__(
        self,
        keys: KeysCollection,
        min_confidence: float = 0.5,
        postfix: str = "specular",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = DetectSpecularHighlights(min_confidence)
        self.postfix = postfix

    def __call__(self, data: Mapping[Hashable, Any]) -> _Item:
        """Add the masks to an item."""
        item = dict(data)
        for key in self.key_iterator(data):
            item[f"{key}_{self.postfix}"] = self.transform(data[key])
        return item


CropToFieldOfViewD = CropToFieldOfViewDict = CropToFieldOfViewd
DetectFieldOfViewD = DetectFieldOfViewDict = DetectFieldOfViewd
DetectSpecularHighlightsD = DetectSpecularHighlightsDict = DetectSpecularHighlightsd
MaskBurntInD = MaskBurntInDict = MaskBurntInd
RemoveBurntInD = RemoveBurntInDict = RemoveBurntInd
