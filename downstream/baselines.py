# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Predictions that look at no picture: a score that they reach says nothing about a segmenter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["BASELINES", "centred_disc", "empty_mask"]


def empty_mask(shape: Sequence[int], training_masks: Sequence[Tensor]) -> Tensor:
    """Predict background everywhere, uint8 ``(1, T, H, W)``."""
    return torch.zeros(tuple(shape), dtype=torch.uint8)


def centred_disc(shape: Sequence[int], training_masks: Sequence[Tensor]) -> Tensor:
    """Predict a disc in the middle, of the most frequent structure and as large as structures are on average.

    Args:
        shape: of the mask, ``(1, T, H, W)``.
        training_masks: masks of the training clips, from which area and class come.

    Returns:
        Classes, uint8 ``(1, T, H, W)``; no disc where no training mask has a structure.
    """
    height, width = shape[-2:]
    present = torch.cat([mask.flatten() for mask in training_masks])
    present = present[present > 0]
    filled = [(mask > 0).flatten(2).float().mean(2) for mask in training_masks]  # (1, T) each
    shares = torch.cat([share.flatten() for share in filled])
    disc = torch.zeros(tuple(shape), dtype=torch.uint8)
    if not len(present):
        return disc
    radius = math.sqrt(float(shares[shares > 0].mean()) * height * width / math.pi)
    rows, columns = torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
    inside = rows[:, None] ** 2 + columns[None, :] ** 2 <= radius**2  # (H, W)
    disc[..., inside] = present.mode().values.to(torch.uint8)
    return disc


BASELINES: dict[str, Callable[[Sequence[int], Sequence[Tensor]], Tensor]] = {
    "always empty": empty_mask,
    "always centre": centred_disc,
}
"""Trivial predictions by the name that reports give them."""
