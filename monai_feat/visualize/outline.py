# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Outlines of masks over pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["CLASS_COLOURS", "draw_outlines", "outline_clip"]

# The palette of Okabe and Ito, which all eyes tell apart; the first stands out on tissue and on ultrasound.
CLASS_COLOURS = ((240, 228, 66), (86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167), (213, 94, 0))
_UNKNOWN = 255


def draw_outlines(
    picture: npt.NDArray[np.uint8], classes: npt.NDArray[np.uint8], thickness: int = 1
) -> npt.NDArray[np.uint8]:
    """Draw the border of each class, on its inside.

    Args:
        picture: ``(H, W, 3)`` in [0, 255].
        classes: ``(H, W)``; 0 is background, and 255 is unknown: neither has a border.
        thickness: of the line, in pixels.

    Returns:
        A new picture.

    Raises:
        ValueError: picture and classes differ in size.
    """
    if picture.shape[:2] != classes.shape:
        raise ValueError(f"expected a picture and classes of one size, got {picture.shape} and {classes.shape}")
    colours = {number: CLASS_COLOURS[(number - 1) % len(CLASS_COLOURS)] for number in _numbers(classes)}
    return _draw(picture, classes, thickness, colours)


def outline_clip(clip: Tensor, masks: Sequence[Tensor], width: int = 0, thickness: int = 1) -> Tensor:
    """Draw the outlines of several masks over a clip, each in a colour of its own, in the order of `CLASS_COLOURS`.

    Args:
        clip: uint8 ``(C, T, H, W)``, C = 3 (RGB) or 1 (grey).
        masks: uint8 ``(1, T, H, W)``; 0 is background, and 255 is unknown. All classes of a mask have its colour.
        width: to which frames are enlarged before, so that outlines are fine; smaller than they are leaves them so.
        thickness: of the lines, in pixels.

    Returns:
        uint8 ``(3, T, H, W)``.

    Raises:
        ValueError: a mask has another size than the clip, or there are more masks than colours.
    """
    if len(masks) > len(CLASS_COLOURS):
        raise ValueError(f"expected at most {len(CLASS_COLOURS)} masks, one for each colour, got {len(masks)}")
    wrong = [tuple(mask.shape) for mask in masks if mask.shape != (1, *clip.shape[1:])]
    if wrong:
        raise ValueError(f"expected masks {(1, *clip.shape[1:])}, as large as the clip, got {wrong}")
    scale = max(1.0, width / clip.shape[-1])
    size = round(clip.shape[-2] * scale), round(clip.shape[-1] * scale)
    smooth = F.interpolate(clip.movedim(1, 0).float(), size, mode="bilinear", antialias=True)  # (T, C, h, w)
    drawn = smooth.round().clamp(0, 255).byte().expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()  # (T, h, w, 3)
    for mask, colour in zip(masks, CLASS_COLOURS, strict=False):
        classes = F.interpolate(mask.movedim(1, 0).float(), size, mode="nearest")[:, 0].byte().numpy()
        colours = dict.fromkeys(_numbers(classes), colour)
        drawn = np.stack([_draw(*pair, thickness, colours) for pair in zip(drawn, classes, strict=True)])
    return torch.from_numpy(np.ascontiguousarray(drawn)).permute(3, 0, 1, 2)


def _draw(
    picture: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.uint8],
    thickness: int,
    colours: Mapping[int, tuple[int, int, int]],
) -> npt.NDArray[np.uint8]:
    drawn: npt.NDArray[np.uint8] = picture.copy()
    for number, colour in colours.items():
        inside = classes == number
        drawn[inside & ~_eroded(inside, thickness)] = colour
    return drawn


def _numbers(classes: npt.NDArray[np.uint8]) -> list[int]:
    return [int(number) for number in np.unique(classes) if number not in (0, _UNKNOWN)]


def _eroded(inside: npt.NDArray[np.bool_], steps: int) -> npt.NDArray[np.bool_]:
    """What is more than some pixels away from the outside; the frame's edge is not an outside."""
    for _ in range(steps):
        padded: npt.NDArray[np.bool_] = np.pad(inside, 1, mode="edge")
        inside = inside & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside
