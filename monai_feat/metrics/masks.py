# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Mean over clips of how steady their masks are."""

from __future__ import annotations

from torch import Tensor

from monai_feat.metrics.clip_mean import ClipMean
from monai_feat.metrics.functional.masks import mask_temporal_iou

__all__ = ["MaskTemporalIoU"]


class MaskTemporalIoU(ClipMean):
    """Mean intersection over union of the masks of neighbouring frames; see `functional.mask_temporal_iou`.

    Args:
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> masks = torch.zeros(1, 1, 2, 4, 4, dtype=torch.bool)
        >>> masks[..., 0, :2, :] = True
        >>> masks[..., 1, 1:3, :] = True
        >>> steadiness = MaskTemporalIoU()
        >>> steadiness.update(masks)
        >>> steadiness.compute()
        tensor(0.3333, dtype=torch.float64)
    """

    def update(self, masks: Tensor) -> None:
        """Add masks, boolean or integer ``(B, 1, T, H, W)`` with T ≥ 2."""
        self._add(mask_temporal_iou(masks))
