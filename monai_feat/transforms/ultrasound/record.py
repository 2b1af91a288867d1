# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The field of view in a clip's metadata: found once, used by every later transform, and dropped once it is stale."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from monai.data.meta_tensor import MetaTensor
from torch import Tensor

from monai_feat.transforms.ultrasound.detection import detect_field
from monai_feat.transforms.ultrasound.geometry import Geometry, RectangleGeometry, SectorGeometry, UltrasoundField
from monai_feat.transforms.video.meta import carry_meta, plain

__all__ = ["FIELD_KEY", "field_of", "record_field"]

FIELD_KEY = "ultrasound_field"
"""Entry of a clip's metadata; see `record_field`."""

_GEOMETRIES: dict[str, type[SectorGeometry] | type[RectangleGeometry]] = {
    "sector": SectorGeometry,
    "linear": RectangleGeometry,
}


def record_field(clip: Any, field: UltrasoundField, pixels: Tensor | None = None) -> Tensor:
    """Give pixels the metadata of a clip, with its field of view under `FIELD_KEY`.

    The entry is a dict of plain values that any collate function takes: ``kind``; ``confidence``; ``geometry``, the
    numbers of `SectorGeometry` or `RectangleGeometry` in order, none for the kind ``"none"``; and ``frame``, by which
    `field_of` notices that the frame has changed.

    Args:
        clip: The clip before, ``(C, T, H, W)``.
        field: The field of view in `pixels`.
        pixels: The clip after; None for the clip itself.

    Returns:
        A MetaTensor, where MONAI tracks metadata.
    """
    pixels = plain(clip) if pixels is None else pixels
    geometry: Geometry | None = field.geometry
    described = {
        "kind": field.kind,
        "confidence": field.confidence,
        "geometry": [] if geometry is None else [float(value) for value in astuple(geometry)],
        "frame": _frame(carry_meta(clip, pixels)),
    }
    return carry_meta(clip, pixels, {FIELD_KEY: described})


def field_of(clip: Any) -> UltrasoundField:
    """The field of view of a clip: as recorded, where size and in-plane affine are still the recorded ones, or sought.

    Args:
        clip: ``(C, T, H, W)``; uint8 in [0, 255] or float in [-1, 1].

    Returns:
        The field in pixels of the clip.

    Raises:
        ValueError: The clip has another shape.
    """
    recorded = clip.meta.get(FIELD_KEY) if isinstance(clip, MetaTensor) else None
    if recorded is None or recorded["frame"] != _frame(clip):
        return detect_field(plain(clip))
    height, width = clip.shape[-2:]
    if recorded["kind"] == "none":
        return UltrasoundField.nowhere(height, width)
    geometry = _GEOMETRIES[recorded["kind"]](*recorded["geometry"])
    return UltrasoundField.of(geometry, height, width, recorded["confidence"])


def _frame(clip: Any) -> list[float]:
    """Size and in-plane part of the affine: what every transform changes that moves pixels within a frame."""
    sides = [float(side) for side in clip.shape[-2:]]
    return sides + clip.affine[-3:-1, -3:].flatten().tolist() if isinstance(clip, MetaTensor) else sides
