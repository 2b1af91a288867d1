# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A network on a clip of any length, some frames at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monai.inferers import Inferer, sliding_window_inference
from torch import Tensor

__all__ = ["TimeWindowInferer"]

_FRAMES_AT_ONCE = 32


class TimeWindowInferer(Inferer):
    """Slide a window over the time of a clip and average where windows overlap (``sliding_window_inference``).

    Frames stay whole. A window that is longer than the clip is as long as the clip.

    Args:
        num_frames: frames of a window.
        overlap: share of a window that the next one covers again, in [0, 1); 0 for a network without context.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> import torch
        >>> TimeWindowInferer(num_frames=4, overlap=0.5)(torch.ones(1, 3, 9, 8, 8), lambda x: x[:, :2]).shape
        torch.Size([1, 2, 9, 8, 8])
    """

    def __init__(self, num_frames: int, overlap: float = 0.5) -> None:
        super().__init__()
        if num_frames < 1 or not 0 <= overlap < 1:
            raise ValueError(f"expected num_frames >= 1 and overlap in [0, 1), got {num_frames} and {overlap}")
        self.num_frames, self.overlap = num_frames, overlap

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Apply a network to clips ``(B, C, T, H, W)`` of any T."""
        frames, *size = inputs.shape[2:]
        window = min(frames, self.num_frames)
        output = sliding_window_inference(
            inputs,
            roi_size=(window, *size),
            sw_batch_size=max(1, _FRAMES_AT_ONCE // window),
            predictor=lambda part: network(part, *args, **kwargs),
            overlap=(self.overlap, 0.0, 0.0),
        )
        assert isinstance(output, Tensor)
        return output
