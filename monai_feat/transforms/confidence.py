# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How sure a transform has to be of what it has found, before it changes a clip."""

from __future__ import annotations

__all__ = ["checked_confidence"]


def checked_confidence(min_confidence: float) -> float:
    """Return the argument ``min_confidence`` of a transform.

    Raises:
        ValueError: it is not in [0, 1].
    """
    if not 0 <= min_confidence <= 1:
        raise ValueError(f"expected min_confidence in [0, 1], got {min_confidence}")
    return min_confidence
