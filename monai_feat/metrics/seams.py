# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Mean over clips of how much more they move where they were put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from monai_feat.metrics.clip_mean import ClipMean
from monai_feat.metrics.functional.seams import Motion, frame_change, seam_ratio

__all__ = ["SeamRatio"]


class SeamRatio(ClipMean):
    """Mean ratio of motion across the borders of windows to motion elsewhere; see `functional.seam_ratio`.

    1 means that there is no seam. Clips in which nothing moves but at borders are left out.

    Args:
        borders: frames before which a window ends or starts, as `WindowedDenoiser.borders` gives them.
        motion: measures it: `functional.frame_change`, or `functional.flow_speed`.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> levels = torch.tensor([10, 12, 14, 22, 24, 26], dtype=torch.uint8)  # by 2, and by 8 before frame 3
        >>> seams = SeamRatio(borders=[3])
        >>> seams.update(levels[None, None, :, None, None])
        >>> seams.compute()
        tensor(4., dtype=torch.float64)
    """

    def __init__(self, borders: Sequence[int], motion: Motion = frame_change, **kwargs: Any) -> None:
        super().__init__(settings=(getattr(motion, "__name__", "motion"), *borders), **kwargs)
        self.borders, self.motion = tuple(borders), motion

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)`` with T ≥ 3."""
        self._add(seam_ratio(clips, self.borders, self.motion))
