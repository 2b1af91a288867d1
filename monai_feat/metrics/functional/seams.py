# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether long clips show where they were put together: one value for each clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from monai_feat.metrics.functional.clips import check_clips

__all__ = ["Motion", "frame_change", "seam_ratio"]

Motion = Callable[[Tensor], Tensor]
"""What moves from each frame to the next: of clips, uint8 ``(B, C, T, H, W)``, values ``(B, T - 1)``, 0 or more."""


def frame_change(clips: Tensor) -> Tensor:
    """Mean absolute difference between each frame and the next.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 2.

    Returns:
        Levels of 255, float64 ``(B, T - 1)``.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.

    Example:
        >>> levels = torch.tensor([10, 12, 20], dtype=torch.uint8)
        >>> frame_change(levels[None, None, :, None, None])
        tensor([[2., 8.]], dtype=torch.float64)
    """
    check_clips(clips, min_frames=2)
    return clips.float().diff(dim=2).abs().double().mean((1, 3, 4))


def seam_ratio(clips: Tensor, borders: Sequence[int], motion: Motion = frame_change) -> Tensor:
    """Mean motion across the borders of the windows of a clip, over the mean motion elsewhere.

    Own definition: with m_t the motion from frame t to the next, the mean of m_{b−1} over borders b, divided by the
    mean of all other m_t. 1 is no seam, more is a jump, less is a standstill. Real motion is not the same at all times:
    compare with the spread over real clips.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 3.
        borders: frames before which a window ends or starts, within 1 … T - 1; not all of them.
        motion: measures it: `frame_change`, or `flow_speed` for the lengths of optical flow, which light does not move.

    Returns:
        float64 ``(B,)``; NaN for a clip in which nothing moves but at borders.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape or the borders are not as described.

    Example:
        >>> levels = torch.tensor([10, 12, 14, 22, 24, 26], dtype=torch.uint8)  # by 2, and by 8 before frame 3
        >>> seam_ratio(levels[None, None, :, None, None], borders=[3])
        tensor([4.], dtype=torch.float64)
    """
    check_clips(clips, min_frames=3)
    num_frames, places = clips.shape[2], sorted(set(borders))
    if not places or not 1 <= places[0] <= places[-1] < num_frames or len(places) == num_frames - 1:
        raise ValueError(
            f"expected borders within 1 … {num_frames - 1} for clips of {num_frames} frames, at least one and not all "
            f"of them, got {list(borders)}"
        )
    across = torch.zeros(num_frames - 1, dtype=torch.bool, device=clips.device)
    across[torch.tensor(places, device=clips.device) - 1] = True
    moved = motion(clips)  # (B, T-1)
    inside = moved[:, ~across].mean(1)
    return torch.where(inside > 0, moved[:, across].mean(1) / inside, torch.nan)
