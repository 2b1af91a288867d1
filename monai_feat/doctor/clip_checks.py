# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with one clip: cuts, no motion, uneven timing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

__all__ = ["find_cuts", "is_static", "uneven_times"]

# Calibrated on phantoms: the largest change between two frames without a cut is 11.6 levels and 1.5 times its
# neighbours', the smallest of 380 cuts is 19 levels and 2.0 times; speckle and fast pans change much, but evenly.
_CUT_LEVELS, _CUT_RATIO, _CUT_REACH = 12.0, 1.9, 8
_STATIC_LEVELS = 0.5
_UNEVEN = 1.75


def find_cuts(thumbs: Tensor) -> list[int]:
    """Numbers of the frames at which the picture jumps to another scene.

    A jump is a change from one frame to the next (mean absolute difference of thumbnails) of 12 grey levels or more,
    that is also 1.9 times as large as any other among the 8 before and the 8 after it. A flash, which is two changes,
    is none; nor is one of two cuts closer than 8 frames.

    Args:
        thumbs: consecutive frames ``(T, S, S)`` in [0, 255].

    Returns:
        The first frame of each new scene.
    """
    change = (thumbs[1:] - thumbs[:-1]).abs().mean((1, 2)).numpy()
    cuts = []
    for t in np.flatnonzero(change >= _CUT_LEVELS).tolist():
        others = np.concatenate([change[max(0, t - _CUT_REACH) : t], change[t + 1 : t + 1 + _CUT_REACH]])
        if len(others) and change[t] >= _CUT_RATIO * others.max():
            cuts.append(t + 1)
    return cuts


def is_static(thumbs: Tensor) -> bool:
    """Whether no frame of several, ``(T, S, S)`` in [0, 255], differs from the first by half a level on average."""
    return len(thumbs) > 1 and float((thumbs[1:] - thumbs[:1]).abs().mean((1, 2)).max()) < _STATIC_LEVELS


def uneven_times(times: Sequence[int]) -> float:
    """Longest step between time stamps in median steps, if it is 1.75 or more; 0.0 where the steps are even."""
    if len(times) < 3:
        return 0.0
    steps = np.diff(np.asarray(times, dtype=np.float64))
    ratio = float(steps.max() / max(float(np.median(steps)), 1e-12))
    return ratio if ratio >= _UNEVEN else 0.0
