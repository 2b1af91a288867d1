# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How clips move, and what changes in them without moving: one value for each clip.

Shape letters: B clips, C channels, T frames, H height, W width. Motion is optical flow between neighbouring frames. A
black border counts as pixels that stand still: crop both sides to the field of view before they are compared.
"""

from __future__ import annotations

import torch
from torch import Tensor

from monai_feat.metrics.functional.clips import check_clips, luma
from monai_feat.metrics.functional.flow import MIN_FLOW_SIDE, optical_flow, visible_pixels, warp_back

__all__ = [
    "clip_flow",
    "flicker",
    "flow_speed",
    "motion_acceleration",
    "motion_magnitude",
    "relative_motion",
    "warping_error",
]


def clip_flow(clips: Tensor) -> Tensor:
    """Optical flow from each frame to the next.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 2, H and W ≥ 16.

    Returns:
        Pixels to the right and down, float32 ``(B, T - 1, 2, H, W)``.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """
    frames = _grey_frames(clips, min_frames=2)
    return _flow(frames[:, :-1], frames[:, 1:])  # (B, T-1, 2, H, W)


def flow_speed(clips: Tensor) -> Tensor:
    """Mean length of the flow vectors from each frame to the next, over all pixels.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 2, H and W ≥ 16.

    Returns:
        Pixels per frame, float64 ``(B, T - 1)``; 0 between equal frames, to rounding.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """
    speed: Tensor = torch.linalg.vector_norm(clip_flow(clips), dim=2)
    return speed.double().mean((2, 3))


def motion_magnitude(clips: Tensor) -> Tensor:
    """Mean length of the flow vectors, over all pixels and pairs of neighbouring frames.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 2, H and W ≥ 16.

    Returns:
        Pixels per frame, float64 ``(B,)``; 0 for a frozen or a constant clip, to rounding.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.

    Example:
        >>> import torch
        >>> x = torch.arange(64.0)
        >>> frame = (128 + 60 * torch.sin(x / 4)[:, None] * torch.cos(x / 5)).to(torch.uint8)
        >>> motion_magnitude(frame.expand(1, 1, 4, 64, 64)).round(decimals=3)
        tensor([0.], dtype=torch.float64)
    """
    return flow_speed(clips).mean(1)


def relative_motion(clips: Tensor) -> Tensor:
    """Motion magnitude as a share of the frame's width, which stays the same when a clip is resized.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 2, H and W ≥ 16.

    Returns:
        Frame widths per frame, float64 ``(B,)``.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """
    return motion_magnitude(clips) / clips.shape[-1]


def motion_acceleration(clips: Tensor) -> Tensor:
    """Mean change of velocity along the path of a pixel, the opposite of smoothness.

    Own definition: the mean over pixels and frames of |u_{t+1}(x + u_t(x)) − u_t(x)|, with u_t the flow from frame t to
    the next. Pixels whose path leaves the frame are left out. Even motion has 0, however fast it is; jerky motion and
    shuffled frames have much.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 3, H and W ≥ 16.

    Returns:
        Pixels per frame², float64 ``(B,)``; NaN for a clip in which every path leaves the frame.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """
    check_clips(clips, min_frames=3)
    flow = clip_flow(clips)  # (B, T-1, 2, H, W)
    now, then = flow[:, :-1].flatten(0, 1), flow[:, 1:].flatten(0, 1)
    then, inside = warp_back(then, now)
    change = torch.linalg.vector_norm(then - now, dim=1, keepdim=True)
    return _masked_mean(change.reshape(len(clips), -1), inside.reshape(len(clips), -1))


def warping_error(clips: Tensor) -> Tensor:
    """Mean squared difference between frames and their successors warped back by the flow, where both show the pixel.

    Lai et al., "Learning blind video temporal consistency" (ECCV 2018), eqs. 9 and 10: the mean over pairs of frames of
    Σ M ‖V_t − V̂_{t+1}‖² / Σ M, averaged over channels as its code does. M leaves out pixels by the forward-backward
    check. Three things differ from the paper. The flow is that of these clips themselves: there is no unprocessed
    video. It is Lucas–Kanade rather than FlowNet2, so compare values of this function among themselves only. And motion
    boundaries (|∇w|² > 0.01 |w|² + 0.002) stay in: at 64 pixels a zoom of 5 % would already count as one everywhere.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 2, H and W ≥ 16.

    Returns:
        In units of squared intensity in [0, 1], float64 ``(B,)``. Pairs without a pixel that can be followed are left
        out; NaN for a clip of such pairs alone.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.

    Example:
        >>> import torch
        >>> warping_error(torch.full((2, 3, 4, 32, 32), 90, dtype=torch.uint8))
        tensor([0., 0.], dtype=torch.float64)
    """
    frames = _grey_frames(clips, min_frames=2)
    pixels = clips.transpose(1, 2) / 255  # (B, T, C, H, W)
    warped, visible = _followed(frames, pixels)
    squared = (warped - pixels[:, :-1]).square().mean(2, keepdim=True)
    return _masked_mean(squared.flatten(2), visible.flatten(2)).nanmean(1)


def flicker(clips: Tensor) -> Tensor:
    """Mean alternation of the brightness of the whole frame that motion does not explain.

    Own definition: d_t is the mean change of luma from frame t to the next, over the pixels that can be followed along
    the flow; the result is the mean of |d_{t+1} − d_t| / 2. A steady brightening or darkening therefore counts nothing,
    and frames that are in turn A levels brighter and darker have 2 A.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 3, H and W ≥ 16.

    Returns:
        Levels of 255, float64 ``(B,)``; NaN where no two neighbouring pairs of frames have pixels that can be followed.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.

    Example:
        >>> import torch
        >>> levels = torch.tensor([100, 108, 100, 108], dtype=torch.uint8)
        >>> flicker(levels[None, None, :, None, None].expand(1, 1, 4, 32, 32))
        tensor([8.], dtype=torch.float64)
    """
    frames = _grey_frames(clips, min_frames=3)
    warped, visible = _followed(frames, frames)
    change = _masked_mean((warped - frames[:, :-1]).flatten(2), visible.flatten(2))  # (B, T-1)
    return change.diff(dim=1).abs().nanmean(1) / 2


def _grey_frames(clips: Tensor, min_frames: int) -> Tensor:
    """Levels ``(B, T, 1, H, W)``."""
    check_clips(clips, min_frames=min_frames, min_side=MIN_FLOW_SIDE)
    return luma(clips).transpose(1, 2)


def _flow(first: Tensor, second: Tensor) -> Tensor:
    flow: Tensor = optical_flow(first.flatten(0, 1), second.flatten(0, 1)).unflatten(0, first.shape[:2])
    return flow


def _followed(grey: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Successors of frames in their geometry, ``(B, T-1, C, H, W)``, and where that holds, ``(B, T-1, 1, H, W)``."""
    there, back = _flow(grey[:, :-1], grey[:, 1:]), _flow(grey[:, 1:], grey[:, :-1])
    warped, _ = warp_back(frames[:, 1:].flatten(0, 1), there.flatten(0, 1))
    visible = visible_pixels(there.flatten(0, 1), back.flatten(0, 1))
    return warped.unflatten(0, there.shape[:2]), visible.unflatten(0, there.shape[:2])


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the last dimension where the mask holds; NaN where it holds nowhere."""
    return torch.where(mask, values, 0.0).double().sum(-1) / mask.sum(-1)
