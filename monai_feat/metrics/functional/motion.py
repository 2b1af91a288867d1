# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How clips move, and what changes in them without moving: one value for each clip.

Shape letters: B clips, C channels, T frames, H height, W width. Motion is optical flow between neighbouring frames. A
black border counts as pixels that stand still: crop both sides to the field of view before they are compared.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from monai_feat.metrics.functional.clips import check_clips, luma
from monai_feat.metrics.functional.flow import MIN_FLOW_SIDE, optical_flow, visible_pixels, warp_back

__all__ = [
    "ClipMotion",
    "clip_flow",
    "flicker",
    "flow_speed",
    "motion_acceleration",
    "motion_magnitude",
    "warping_error",
]


class ClipMotion:
    """Optical flow of clips in both directions of time, each computed once, when it is first asked for.

    Its methods are the functions of this module, for those who ask more than one of the same clips.

    Args:
        clips: uint8 ``(B, C, T, H, W)``, T ≥ 2, H and W ≥ 16.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """

    def __init__(self, clips: Tensor) -> None:
        check_clips(clips, min_frames=2, min_side=MIN_FLOW_SIDE)
        self.clips = clips
        self.grey = luma(clips).transpose(1, 2)  # (B, T, 1, H, W)

    @cached_property
    def forward(self) -> Tensor:
        """Pixels to the right and down from each frame to the next, float32 ``(B, T - 1, 2, H, W)``."""
        return _flow(self.grey[:, :-1], self.grey[:, 1:])

    @cached_property
    def backward(self) -> Tensor:
        """The same from each frame to the one before, ``(B, T - 1, 2, H, W)``."""
        return _flow(self.grey[:, 1:], self.grey[:, :-1])

    @cached_property
    def visible(self) -> Tensor:
        """Whether the next frame shows a pixel, too, ``(B, T - 1, 1, H, W)``."""
        shown = visible_pixels(self.forward.flatten(0, 1), self.backward.flatten(0, 1))
        return _by_clip(shown, self.forward)

    def speed(self) -> Tensor:
        """See `flow_speed`."""
        speed: Tensor = torch.linalg.vector_norm(self.forward, dim=2)
        return speed.double().mean((2, 3))

    def magnitude(self) -> Tensor:
        """See `motion_magnitude`."""
        return self.speed().mean(1)

    def acceleration(self) -> Tensor:
        """See `motion_acceleration`."""
        check_clips(self.clips, min_frames=3)
        now, then = self.forward[:, :-1].flatten(0, 1), self.forward[:, 1:].flatten(0, 1)
        then, inside = warp_back(then, now)
        change = torch.linalg.vector_norm(then - now, dim=1, keepdim=True)
        return _masked_mean(change.reshape(len(self.clips), -1), inside.reshape(len(self.clips), -1))

    def warping_error(self) -> Tensor:
        """See `warping_error`."""
        pixels = self.clips.transpose(1, 2) / 255  # (B, T, C, H, W)
        squared = (self._followed(pixels) - pixels[:, :-1]).square().mean(2, keepdim=True)
        return _masked_mean(squared.flatten(2), self.visible.flatten(2)).nanmean(1)

    def flicker(self) -> Tensor:
        """See `flicker`."""
        check_clips(self.clips, min_frames=3)
        change = self._followed(self.grey) - self.grey[:, :-1]
        means = _masked_mean(change.flatten(2), self.visible.flatten(2))  # (B, T-1)
        return means.diff(dim=1).abs().nanmean(1) / 2

    def _followed(self, frames: Tensor) -> Tensor:
        """Successors of frames (B, T, C, H, W) in their geometry, ``(B, T - 1, C, H, W)``."""
        warped, _ = warp_back(frames[:, 1:].flatten(0, 1), self.forward.flatten(0, 1))
        return _by_clip(warped, self.forward)


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
    return ClipMotion(clips).forward


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
    return ClipMotion(clips).speed()


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
    return ClipMotion(clips).magnitude()


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
    return ClipMotion(clips).acceleration()


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
    return ClipMotion(clips).warping_error()


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
    return ClipMotion(clips).flicker()


def _flow(first: Tensor, second: Tensor) -> Tensor:
    return _by_clip(optical_flow(first.flatten(0, 1), second.flatten(0, 1)), first)


def _by_clip(frames: Tensor, like: Tensor) -> Tensor:
    """Put frames of all clips, (B T, ...), back into clips, (B, T, ...)."""
    clips: Tensor = frames.unflatten(0, like.shape[:2])
    return clips


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the last dimension where the mask holds; NaN where it holds nowhere."""
    return torch.where(mask, values, 0.0).double().sum(-1) / mask.sum(-1)
