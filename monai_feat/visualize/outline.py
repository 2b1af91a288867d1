# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Outlines of masks over pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CLASS_COLOURS", "draw_outlines"]

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
    drawn: npt.NDArray[np.uint8] = picture.copy()
    for number in np.unique(classes[(classes > 0) & (classes != _UNKNOWN)]):
        inside = classes == number
        colour = CLASS_COLOURS[(int(number) - 1) % len(CLASS_COLOURS)]
        drawn[inside & ~_eroded(inside, thickness)] = colour
    return drawn


def _eroded(inside: npt.NDArray[np.bool_], steps: int) -> npt.NDArray[np.bool_]:
    """What is more than some pixels away from the outside; the frame's edge is no outside."""
    for _ in range(steps):
        padded: npt.NDArray[np.bool_] = np.pad(inside, 1, mode="edge")
        inside = inside & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside
