# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Reflections of the light source on wet tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from skimage.measure import label, regionprops
from skimage.morphology import footprint_rectangle, opening
from torch import Tensor

from monai_feat.transforms.endoscopy.pixels import as_levels

__all__ = ["SpecularHighlights", "detect_specular_highlights"]

_Mask = npt.NDArray[np.bool_]
_Levels = npt.NDArray[np.float32]

# Light that tissue scatters is red; the light that its wet surface mirrors is white and lifts the darkest channel.
_BRIGHTEST_AT_LEAST = 160
_RELIEF_AT_LEAST = 60
_WHITE = 0.75  # darkest by brightest channel
# Highlights are narrower than this share of the frame; a wider bright area is overexposed tissue or an instrument.
_WIDEST = 0.05


@dataclass(frozen=True)
class SpecularHighlights:
    """The pixels of a clip that show a reflection.

    Attributes:
        mask: boolean ``(T, H, W)``.
        confidence: in [0, 1]: how far the reflections stand out from the tissue around them, the mean over their
            pixels of relief / 100 levels, at most 1; 0 where there are none.
    """

    mask: Tensor
    confidence: float


def detect_specular_highlights(clip: Tensor) -> SpecularHighlights:
    """Find specular highlights: small white peaks of the darkest colour channel.

    The relief of a pixel is its darkest channel above the opening of that image by a square of 5 % of the frame (the
    white top-hat). A region of relief whose peak is white, as bright as 160 and 60 levels high is a highlight; it
    reaches down to halfway between its peak and the level around it.

    Burnt-in white text looks the same and is found as well; mask it first (`MaskBurntIn`). Of overexposed tissue,
    narrow parts are found.

    Args:
        clip: RGB, ``(3, T, H, W)`` or one frame ``(3, H, W)``; uint8 in [0, 255] or float in [-1, 1].

    Raises:
        ValueError: the shape is not as described; a grey clip does not tell a reflection from pale tissue.
        TypeError: the pixels are neither uint8 nor float.
    """
    levels = as_levels(clip)
    if levels.shape[0] != 3:
        raise ValueError(f"expected an RGB clip (3, T, H, W), got {tuple(clip.shape)}: grey hides which light is white")
    whiteness = levels.min(0)  # (T, H, W)
    side = max(3, round(_WIDEST * min(whiteness.shape[1:])))
    square = footprint_rectangle((side, side), decomposition="separable")
    relief = np.stack([frame - opening(frame, square) for frame in whiteness])
    frames = zip(whiteness, levels.max(0), relief, strict=True)
    mask = np.stack([_half_height(*frame) for frame in frames])
    confidence = float(np.minimum(relief[mask] / 100, 1).mean()) if mask.any() else 0.0
    return SpecularHighlights(torch.from_numpy(mask), confidence)


def _half_height(whiteness: _Levels, brightness: _Levels, relief: _Levels) -> _Mask:
    """Regions from their peaks down to halfway to the level around them: ``(H, W)``."""
    raised = relief >= _RELIEF_AT_LEAST / 2
    mask = np.zeros(relief.shape, dtype=bool)
    for region in regionprops(label(raised)):
        at = tuple(region.coords.T)
        top = int(relief[at].argmax())
        peak, brightest = whiteness[at][top], brightness[at][top]
        if relief[at][top] >= _RELIEF_AT_LEAST and peak >= max(_BRIGHTEST_AT_LEAST, _WHITE * brightest):
            mask[at] = whiteness[at] >= (peak + _level_around(region.bbox, whiteness, raised)) / 2
    return mask


def _level_around(box: tuple[int, int, int, int], whiteness: _Levels, raised: _Mask) -> float:
    top, left, bottom, right = box
    window = (slice(max(0, top - 2), bottom + 2), slice(max(0, left - 2), right + 2))
    around = whiteness[window][~raised[window]]
    return float(np.median(around)) if around.size else float(whiteness[window].min())
