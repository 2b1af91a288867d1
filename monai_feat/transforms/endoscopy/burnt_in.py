# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a video processor writes over an endoscopic picture: lines of text, and insets such as a second picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from monai_feat.transforms.confidence import checked_confidence
from monai_feat.transforms.endoscopy.field_of_view import Box, detect_field_of_view
from monai_feat.transforms.endoscopy.inset import find_insets
from monai_feat.transforms.endoscopy.pixels import as_levels
from monai_feat.transforms.endoscopy.text import find_text
from monai_feat.transforms.video.functional import sample_times

__all__ = ["BurntIn", "BurntInRegion", "detect_burnt_in"]


@dataclass(frozen=True)
class BurntInRegion:
    """One line of text or one inset.

    Attributes:
        kind: ``"text"`` or ``"inset"``.
        box: ``(top, left, bottom, right)`` in pixels; bottom and right are past the last pixel.
        confidence: in [0, 1]; see `find_text` and `find_insets`.
    """

    kind: Literal["text", "inset"]
    box: Box
    confidence: float


@dataclass(frozen=True)
class BurntIn:
    """What is not a picture in the frames of a clip.

    Attributes:
        mask: boolean ``(H, W)``, True where the regions are, and outside the field of view where that is sure.
        text: boolean ``(H, W)``, the part of the mask that is text within the field of view.
        regions: text and insets that reach the confidence asked for, the surest first.
        confidence: that of the surest region or of the surround, whichever is higher; 0 where nothing is masked. It
            speaks of what was found, never of what was missed: no clip is proven free of text.
    """

    mask: Tensor
    text: Tensor
    regions: tuple[BurntInRegion, ...]
    confidence: float


def detect_burnt_in(clip: Tensor, min_confidence: float = 0.5) -> BurntIn:
    """Find text and insets that are burnt into an endoscopic clip, and the surround of its field of view.

    Text is near white and stays where it is in all frames; an inset is a rectangle, black or a picture. What lies
    outside the field of view is masked whole, whatever is written there.

    Args:
        clip: ``(C, T, H, W)`` or one frame ``(C, H, W)``; uint8 in [0, 255] or float in [-1, 1].
        min_confidence: regions below it are left out; so is the surround of a field of view below it.

    Raises:
        ValueError: the shape is not as described, or `min_confidence` not in [0, 1].
        TypeError: the pixels are neither uint8 nor float.
    """
    checked_confidence(min_confidence)
    levels = as_levels(clip)
    levels = levels[:, sample_times(levels.shape[1], 8)]  # (C, T, H, W)
    view = detect_field_of_view(clip)
    surround = ~view.mask if view.confidence >= min_confidence else torch.zeros_like(view.mask)
    found = [BurntInRegion("inset", *item) for item in find_insets(levels, np.logical_not(surround.numpy()))]
    found += [BurntInRegion("text", *item) for item in find_text(levels)]
    regions = sorted((r for r in found if r.confidence >= min_confidence), key=lambda r: -r.confidence)
    sure = [r.confidence for r in regions] + [view.confidence if surround.any() else 0.0]
    nothing, text = surround.clone(), torch.zeros_like(surround)
    for region in regions:
        top, left, bottom, right = region.box
        (text if region.kind == "text" else nothing)[top:bottom, left:right] = True
    return BurntIn(nothing | text, text & ~nothing, tuple(regions), max(sure))
