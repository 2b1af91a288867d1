# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The training clips that synthetic clips are most like."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.data import ClipItem, load_clip

__all__ = ["nearest_clips"]

_SIDE = 16


def nearest_clips(clips: Sequence[ClipItem], training: Sequence[ClipItem]) -> list[ClipItem]:
    """Find for each clip the training clip with the smallest mean squared difference of thumbnails, frame by frame."""
    if not clips:
        return []
    distances = torch.cdist(_thumbnails(clips), _thumbnails(training))  # (clips, training)
    return [training[i] for i in distances.argmin(1).tolist()]


def _thumbnails(items: Sequence[ClipItem]) -> Tensor:
    small = [F.adaptive_avg_pool2d(load_clip(item.image).as_tensor().float(), _SIDE).flatten() for item in items]
    return torch.stack(small)
