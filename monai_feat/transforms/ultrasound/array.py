# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Transforms of one ultrasound clip ``(C, T, H, W)``, uint8 in [0, 255] or float in [-1, 1]; its metadata follow.

Each takes the field of view from the clip's metadata where `DetectUltrasoundField` has put it, looks for it where there
is none or the frame has changed since, and leaves a clip alone whose field has too little confidence.
"""

from __future__ import annotations

from typing import Any

import torch
from monai.transforms import RandomizableTransform, Transform
from torch import Tensor

from monai_feat.transforms.confidence import checked_confidence
from monai_feat.transforms.functional import black_level
from monai_feat.transforms.ultrasound.detection import MIN_CONFIDENCE, detect_field
from monai_feat.transforms.ultrasound.geometry import UltrasoundField
from monai_feat.transforms.ultrasound.intensity import DisplayChange, change_display
from monai_feat.transforms.ultrasound.overlay import detect_static_marks, fill_outside, fill_static_marks
from monai_feat.transforms.ultrasound.record import field_of, record_field
from monai_feat.transforms.ultrasound.warp import FieldWarp, Interpolation, warp_field, warp_geometry
from monai_feat.transforms.video.meta import carry_meta, plain

__all__ = [
    "CropToField",
    "DetectUltrasoundField",
    "MaskOutsideField",
    "RandSectorAffine",
    "RandSpeckleIntensity",
    "RemoveStaticOverlay",
]

Range = tuple[float, float]


class DetectUltrasoundField(Transform):
    """Find the field of view and write it into the clip's metadata; see `detect_field` and `record_field`."""

    def __call__(self, clip: Any) -> Tensor:
        """Return the clip with its field recorded."""
        return record_field(clip, detect_field(plain(clip)))


class MaskOutsideField(Transform):
    """Black out what is outside the field of view: text, rulers, logos, traces.

    Args:
        min_confidence: below it the clip is left alone.

    Raises:
        ValueError: `min_confidence` is out of range.
    """

    def __init__(self, min_confidence: float = MIN_CONFIDENCE) -> None:
        self.min_confidence = checked_confidence(min_confidence)

    def __call__(self, clip: Any, field: UltrasoundField | None = None, value: float | None = None) -> Tensor:
        """Mask a clip, or a label map.

        Args:
            clip: ``(C, T, H, W)``.
            field: the field of view; None takes the clip's own.
            value: what outside becomes; None for black.
        """
        field = field_of(clip) if field is None else field
        pixels = plain(clip)
        if field.confidence < self.min_confidence or field.geometry is None:
            return carry_meta(clip, pixels)
        return carry_meta(clip, fill_outside(pixels, field.mask, black_level(pixels) if value is None else value))


class RemoveStaticOverlay(Transform):
    """Take away what is burnt into a clip: black outside the field, the nearest echoes in place of marks on it.

    Outside, nothing is tissue, so all of it becomes black. Inside, marks that stand still or are coloured are replaced
    pixel by pixel by the nearest unmarked ones (`detect_static_marks`, `fill_static_marks`). Where the field has too
    little confidence, only marks are removed, sought in the whole frame.

    Args:
        min_confidence: below it the field, or the marks, are left alone.

    Raises:
        ValueError: `min_confidence` is out of range.
    """

    def __init__(self, min_confidence: float = MIN_CONFIDENCE) -> None:
        self.mask_outside = MaskOutsideField(min_confidence)

    def __call__(self, clip: Any) -> Tensor:
        """Return the clip without overlay."""
        field, pixels = field_of(clip), plain(clip)
        if field.confidence < self.mask_outside.min_confidence:
            field = UltrasoundField.nowhere(*pixels.shape[-2:])
        marks = detect_static_marks(pixels, field)
        if marks.confidence >= self.mask_outside.min_confidence:
            pixels = fill_static_marks(pixels, field, marks)
        return self.mask_outside(carry_meta(clip, pixels), field)


class CropToField(Transform):
    """Crop to the box around the field of view; the spacing stays and the affine's origin moves along.

    Depth calibration survives: a pixel is as many mm as before, also where the ruler itself is cut off. The recorded
    field moves into the new frame.

    Args:
        margin: pixels kept around the box, within the frame.
        min_confidence: below it the clip is left alone.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(self, margin: int = 0, min_confidence: float = MIN_CONFIDENCE) -> None:
        if margin < 0:
            raise ValueError(f"expected margin >= 0 pixels, got {margin}")
        self.margin, self.min_confidence = margin, checked_confidence(min_confidence)

    def __call__(self, clip: Any, field: UltrasoundField | None = None) -> Tensor:
        """Crop a clip, or a label map; `field` None takes the clip's own."""
        is_source, pixels = field is None, plain(clip)
        field = field_of(clip) if field is None else field
        if field.confidence < self.min_confidence or field.geometry is None:
            return carry_meta(clip, pixels)
        rows, columns = (
            slice(max(side.start - self.margin, 0), min(side.stop + self.margin, size))
            for side, size in zip(field.box, pixels.shape[-2:], strict=True)
        )
        cropped = carry_meta(clip, pixels[..., rows, columns].clone(), start=(0, rows.start, columns.start))
        return record_field(cropped, field.cropped(rows, columns)) if is_source else cropped


class RandSectorAffine(RandomizableTransform):
    """Turn the field about the probe's apex, stretch it along the beams and mirror it, at random; see `warp_field`.

    The affine stays: the tissue is deformed, not the ruler.

    Args:
        prob: probability that anything is done.
        angle: largest turn to either side, radians.
        depth_scale: range of the stretch along the beams.
        mirror_prob: probability of mirroring, if anything is done.
        min_confidence: below it the clip is left alone.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        prob: float = 0.5,
        angle: float = 0.1,
        depth_scale: Range = (0.9, 1.1),
        mirror_prob: float = 0.5,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        super().__init__(prob)
        _check_ordered(depth_scale, "depth_scale", above=0)
        if not 0 <= mirror_prob <= 1 or angle < 0:
            raise ValueError(f"expected angle >= 0 and mirror_prob in [0, 1], got {angle} and {mirror_prob}")
        self.angle, self.depth_scale, self.mirror_prob = angle, depth_scale, mirror_prob
        self.min_confidence = checked_confidence(min_confidence)
        self.warp = FieldWarp()

    def randomize(self, data: Any | None = None) -> None:
        """Draw one change."""
        super().randomize(data)
        angle, scale = self.R.uniform(-self.angle, self.angle), self.R.uniform(*self.depth_scale)
        self.warp = (
            FieldWarp(angle, scale, bool(self.R.rand() < self.mirror_prob)) if self._do_transform else FieldWarp()
        )

    def __call__(
        self,
        clip: Any,
        field: UltrasoundField | None = None,
        mode: Interpolation = "bilinear",
        randomize: bool = True,
    ) -> Tensor:
        """Warp a clip, or a label map.

        Args:
            clip: ``(C, T, H, W)``.
            field: the field of view; None takes the clip's own.
            mode: ``"bilinear"`` for pixels, black outside; ``"nearest"`` for labels, 0 outside.
            randomize: whether to draw a new change.
        """
        if randomize:
            self.randomize()
        if self.warp == FieldWarp():
            return carry_meta(clip, plain(clip))
        is_source, pixels = field is None, plain(clip)
        field = field_of(clip) if field is None else field
        if field.confidence < self.min_confidence or field.geometry is None:
            return carry_meta(clip, pixels)
        fill = black_level(pixels) if mode == "bilinear" else 0.0
        warped = warp_field(pixels, field.geometry, self.warp, mode, fill)
        if not is_source:
            return carry_meta(clip, warped)
        return record_field(clip, self.warped(field), warped)

    def warped(self, field: UltrasoundField) -> UltrasoundField:
        """The field after the change drawn last."""
        height, width = field.mask.shape
        if field.geometry is None:
            return field
        return UltrasoundField.of(warp_geometry(field.geometry, self.warp, width), height, width, field.confidence)


class RandSpeckleIntensity(RandomizableTransform):
    """Change gain, time gain compensation, dynamic range and speckle at random; see `change_display`.

    Args:
        prob: probability that anything is done.
        gain_db: largest change of the gain either way, dB.
        tgc_db: largest change of the gain at each of five depths either way, dB.
        range_ratio: range of the factor of the dynamic range.
        speckle: range of the strength of the added speckle, in [0, 1].
        dynamic_range_db: what black to white stands for, dB.
        grain: full width at half maximum of the added speckle, pixels.
        min_confidence: below it the clip is left alone.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        prob: float = 0.5,
        gain_db: float = 4.0,
        tgc_db: float = 3.0,
        range_ratio: Range = (0.85, 1.15),
        speckle: Range = (0.0, 0.1),
        dynamic_range_db: float = 60.0,
        grain: float = 3.0,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> None:
        super().__init__(prob)
        _check_ordered(range_ratio, "range_ratio", above=0)
        _check_ordered(speckle, "speckle")
        if gain_db < 0 or tgc_db < 0:
            raise ValueError(f"expected gain_db and tgc_db of at least 0, got {gain_db} and {tgc_db}")
        self.gain_db, self.tgc_db, self.range_ratio, self.speckle = gain_db, tgc_db, range_ratio, speckle
        self.dynamic_range_db, self.grain = dynamic_range_db, grain
        self.min_confidence = checked_confidence(min_confidence)
        self.change, self.seed = self._draw(), 0

    def _draw(self) -> DisplayChange:
        return DisplayChange(
            self.R.uniform(-self.gain_db, self.gain_db),
            tuple(self.R.uniform(-self.tgc_db, self.tgc_db, 5).tolist()),
            self.dynamic_range_db,
            self.R.uniform(*self.range_ratio),
            self.R.uniform(*self.speckle),
            self.grain,
        )

    def randomize(self, data: Any | None = None) -> None:
        """Draw one change and the seed of its speckle."""
        super().randomize(data)
        self.change, self.seed = self._draw(), int(self.R.randint(2**31 - 1))

    def __call__(self, clip: Any, field: UltrasoundField | None = None, randomize: bool = True) -> Tensor:
        """Change the brightness of a clip; `field` None takes the clip's own."""
        if randomize:
            self.randomize()
        pixels = plain(clip)
        if not self._do_transform:
            return carry_meta(clip, pixels)
        field = field_of(clip) if field is None else field
        if field.confidence < self.min_confidence:
            return carry_meta(clip, pixels)
        generator = torch.Generator().manual_seed(self.seed)
        return carry_meta(clip, change_display(pixels, field, self.change, generator))


def _check_ordered(values: Range, name: str, above: float | None = None) -> None:
    low, high = values
    if low > high or (above is not None and low <= above):
        raise ValueError(f"expected {name} as (low, high){'' if above is None else f' above {above}'}, got {values}")
