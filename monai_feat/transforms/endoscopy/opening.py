# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Opening by a small disc: for a few pixels much faster than by distances, as scikit-image does it for any radius."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["disc_opening"]

_Mask = npt.NDArray[np.bool_]


def disc_opening(mask: _Mask, radius: int) -> _Mask:
    """Keep what a disc fits into: all of the pixels of any disc that lies wholly in the mask.

    The frame's edge is no edge of the mask: outside, everything fits.

    Args:
        mask: ``(H, W)``.
        radius: of the disc, in pixels; the pixels at this distance belong to it.
    """
    return _grown(~_grown(~mask, radius), radius)


def _grown(mask: _Mask, radius: int) -> _Mask:
    """The pixels that are no farther than the radius from one of the mask, row of the disc by row of the disc."""
    height, width = mask.shape
    room = np.zeros((height + 2 * radius, width), dtype=bool)
    by_reach = [mask.copy()]  # the mask, grown by 0, 1, 2, … pixels to both sides
    for reach in range(1, radius + 1):
        wider = by_reach[-1].copy()
        wider[:, reach:] |= mask[:, :-reach]
        wider[:, :-reach] |= mask[:, reach:]
        by_reach.append(wider)
    for dy in range(-radius, radius + 1):
        reach = math.isqrt(radius**2 - dy**2)
        room[radius + dy : radius + dy + height] |= by_reach[reach]
    return room[radius : radius + height]
