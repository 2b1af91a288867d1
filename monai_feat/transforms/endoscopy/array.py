# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Transforms of one endoscopic clip ``(C, T, H, W)``, deterministic; below a confidence they leave it alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from monai.data.meta_tensor import MetaTensor
from monai.transforms import BorderPad, Crop, Transform
from monai.utils import TraceKeys
from torch import Tensor

from monai_feat.transforms.confidence import checked_confidence
from monai_feat.transforms.endoscopy.burnt_in import BurntIn, detect_burnt_in
from monai_feat.transforms.endoscopy.field_of_view import Box, FieldOfView, detect_field_of_view
from monai_feat.transforms.endoscopy.fill import fill_from_around
from monai_feat.transforms.endoscopy.specular import detect_specular_highlights
from monai_feat.transforms.functional import black_level
from monai_feat.transforms.video.meta import carry_meta, plain

__all__ = ["CropToFieldOfView", "DetectFieldOfView", "DetectSpecularHighlights", "MaskBurntIn", "RemoveBurntIn"]


class DetectFieldOfView(Transform):
    """Write where the field of view lies into a clip's metadata, and change no pixel.

    The metadata get ``field_of_view``: a dict of ``box`` (top, left, bottom, right), ``shape`` and ``confidence`` as in
    `FieldOfView`.
    """

    def __call__(self, clip: Any) -> Tensor:
        """Describe ``(C, T, H, W)`` or ``(C, H, W)``, uint8 in [0, 255] or float in [-1, 1]."""
        return carry_meta(clip, plain(clip), {"field_of_view": describe(detect_field_of_view(plain(clip)))})


def describe(view: FieldOfView) -> dict[str, Any]:
    """What metadata say about a field of view: primitives, which every writer and collate function can handle."""
    return {"box": list(view.box), "shape": view.shape, "confidence": view.confidence}


class CropToFieldOfView(Crop):
    """Crop a clip to the box around its field of view; the inverse puts the clip's lowest value around it again.

    Args:
        margin: pixels kept around the box, within the frame.
        min_confidence: below it the clip is not cropped.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(self, margin: int = 0, min_confidence: float = 0.5) -> None:
        super().__init__()
        self.margin, self.min_confidence = margin, checked_confidence(min_confidence)
        if margin < 0:
            raise ValueError(f"expected margin >= 0 pixels, got {margin}")

    @property
    def requires_current_data(self) -> bool:
        """Whether pixels are looked at, so that `Compose` applies pending transforms first."""
        return True

    def __call__(self, clip: Any, lazy: bool | None = None) -> Tensor:  # type: ignore[override]
        """Crop ``(C, T, H, W)`` or ``(C, H, W)``, uint8 or float in [-1, 1]; `lazy` as in MONAI's `Crop`."""
        view = detect_field_of_view(plain(clip))
        described = carry_meta(clip, plain(clip), {"field_of_view": describe(view)})
        return self.crop(described, self.box(view), lazy)

    def box(self, view: FieldOfView) -> Box:
        """The box to crop to: that of the field with its margin, or the whole frame below the confidence."""
        height, width = view.mask.shape
        if view.confidence < self.min_confidence:
            return 0, 0, height, width
        top, left, bottom, right = view.box
        margin = self.margin
        return max(0, top - margin), max(0, left - margin), min(height, bottom + margin), min(width, right + margin)

    def crop(self, clip: Any, box: Box, lazy: bool | None = None) -> Tensor:
        """Crop the last two axes of a clip, and remember how for the inverse."""
        top, left, bottom, right = box
        before = [slice(None)] * (clip.ndim - 3)
        cropped: Tensor = super().__call__(clip, (*before, slice(top, bottom), slice(left, right)), lazy)
        return cropped

    def inverse(self, img: MetaTensor) -> MetaTensor:
        """Put the clip's lowest value where something was cut off."""
        cropped = self.pop_transform(img)[TraceKeys.EXTRA_INFO]["cropped"]
        pad = BorderPad(cropped, value=float(img.min()))
        with pad.trace_transform(False):
            return pad(img)  # type: ignore[return-value]


class MaskBurntIn(Transform):
    """Black out text, insets and the surround of the field of view; nothing else changes.

    The metadata get ``burnt_in``: a list of dicts of ``kind``, ``box`` and ``confidence``, one for each text or inset.
    It is not a de-identification: text that is not found stays.

    Args:
        min_confidence: regions below it stay.

    Raises:
        ValueError: `min_confidence` is not in [0, 1].
    """

    def __init__(self, min_confidence: float = 0.5) -> None:
        self.min_confidence = checked_confidence(min_confidence)

    def __call__(self, clip: Any) -> Tensor:
        """Mask ``(C, T, H, W)`` or ``(C, H, W)``, uint8 in [0, 255] or float in [-1, 1]."""
        pixels = plain(clip)
        found = detect_burnt_in(pixels, self.min_confidence)
        return carry_meta(clip, self.change(pixels, found), {"burnt_in": _listed(found)})

    def change(self, pixels: Tensor, found: BurntIn) -> Tensor:
        """Change the pixels of a clip where something was found."""
        return pixels.masked_fill(found.mask.to(pixels.device), black_level(pixels))


class RemoveBurntIn(MaskBurntIn):
    """Take away what is burnt in, for training: text gives way to the colours around it, all else becomes black.

    A network would learn black bars as well as it learns text. Insets and the surround of the field of view have
    nothing behind them, and are masked as by `MaskBurntIn`, which also says what the metadata get.

    Args:
        min_confidence: regions below it stay.

    Raises:
        ValueError: `min_confidence` is not in [0, 1].
    """

    def change(self, pixels: Tensor, found: BurntIn) -> Tensor:
        """Change the pixels of a clip where something was found."""
        text = found.text.to(pixels.device)
        nothing = found.mask.to(pixels.device) & ~text
        filled = pixels if pixels.ndim == 4 else pixels[:, None]
        filled = fill_from_around(super().change(filled, replace(found, mask=nothing.cpu())), text, nothing)
        return filled.reshape(pixels.shape)


def _listed(found: BurntIn) -> list[dict[str, Any]]:
    return [{"kind": r.kind, "box": list(r.box), "confidence": r.confidence} for r in found.regions]


class DetectSpecularHighlights(Transform):
    """Make the mask of a clip's specular highlights, uint8 ``(1, T, H, W)``; all 0 below the confidence.

    The mask's metadata are the clip's, with ``specular_confidence``.

    Args:
        min_confidence: below it nothing is marked.

    Raises:
        ValueError: `min_confidence` is not in [0, 1].
    """

    def __init__(self, min_confidence: float = 0.5) -> None:
        self.min_confidence = checked_confidence(min_confidence)

    def __call__(self, clip: Any) -> Tensor:
        """Mark ``(3, T, H, W)``, uint8 in [0, 255] or float in [-1, 1]; a frame ``(3, H, W)`` gives ``(1, H, W)``."""
        pixels = plain(clip)
        found = detect_specular_highlights(pixels)
        mask = found.mask if found.confidence >= self.min_confidence else torch.zeros_like(found.mask)
        shaped = mask.to(torch.uint8).reshape(1, *pixels.shape[1:])
        return carry_meta(clip, shaped, {"specular_confidence": found.confidence})
