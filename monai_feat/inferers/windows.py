# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips longer than those of the training, as a denoiser around a denoiser.

B clips in a batch; C channels, T frames, H and W rows and columns of the latents.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers.utils import sliding_window_inference
from torch import Tensor, nn

from monai_feat.conditions import NONE, Context, map_context

__all__ = ["WindowedDenoiser"]

Place = Sequence[slice]
"""Where a window lies in a batch of clips: its clip, all channels, its frames, all rows, all columns."""


class WindowedDenoiser(nn.Module):
    """Denoise clips in overlapping windows of as many frames as the network was trained with.

    At every step of a sampler all windows of a clip are predicted, and where they overlap, the predictions are averaged
    with weights that fall off towards the ends of a window, as a Gaussian does. So all windows agree on one clip of any
    length, and memory grows with the windows that are predicted at once only. The noise is that of the whole clip.

    Source: Bar-Tal et al., "MultiDiffusion" (https://arxiv.org/abs/2302.08113), along time as in Wang et al.,
    "Gen-L-Video" (https://arxiv.org/abs/2305.18264); windows and weights are those of MONAI's
    `sliding_window_inference`.

    Args:
        network: denoiser, called as ``network(x, timesteps=..., context=...)``; it may be a `GuidedDenoiser`.
        window: frames of a window; None, or clips that are no longer, leave all to the network, in one.
        stride: frames from one window to the next, up to ``window``, with which they do not overlap; None for a
            half of ``window``. The last window ends with the clip.
        windows_at_once: number of windows in a batch of the network.

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> class Mean(nn.Module):
        ...     def forward(self, x, timesteps, context):
        ...         return x.mean(2, keepdim=True).expand_as(x)
        >>> ramp = torch.arange(6.0).reshape(1, 1, 6, 1, 1)
        >>> WindowedDenoiser(Mean(), window=2, stride=2)(ramp, torch.zeros(1)).flatten()
        tensor([0.5000, 0.5000, 2.5000, 2.5000, 4.5000, 4.5000])
    """

    def __init__(
        self, network: nn.Module, window: int | None, stride: int | None = None, windows_at_once: int = 4
    ) -> None:
        super().__init__()
        if (window is not None and window < 1) or windows_at_once < 1:
            raise ValueError(f"window and windows_at_once must be 1 or more, got {window} and {windows_at_once}")
        if stride is not None and not 1 <= stride <= (window or stride):
            raise ValueError(f"stride must lie in 1 … {window}, the frames of a window, got {stride}")
        self.network = network
        self.window = window
        self.stride = stride or max(1, (window or 1) // 2)
        self.windows_at_once = windows_at_once

    def borders(self, num_frames: int) -> list[int]:
        """Return the frames of a clip before which a window ends or starts, none of them the first or the end."""
        if self.window is None or num_frames <= self.window:
            return []
        windows = [frames for (frames,) in dense_patch_slices((num_frames,), (self.window,), (self.stride,))]
        ends = {end for window in windows for end in (window.start, window.stop)}
        return sorted(int(end) for end in ends - {0, num_frames})

    def forward(self, x: Tensor, timesteps: Tensor, context: Context | None = None) -> Tensor:
        """Predict.

        Args:
            x: noisy clips (B, C, T, H, W).
            timesteps: (B,), or (1,) for all.
            context: what is asked for: one tensor (B, ...), or several by name. What has five axes, (B, ·, k, ·, ·), is
                of the first k frames: a window is asked for its part of them, and beyond them for none.

        Returns:
            the prediction (B, C, T, H, W), or (B, 2C, T, H, W) with variance logits.
        """
        if self.window is None or x.shape[2] <= self.window:
            prediction: Tensor = self.network(x, timesteps=timesteps, context=context)
            return prediction
        each = timesteps.expand(len(x))
        weights: Tensor = compute_importance_map((self.window,), mode="gaussian", device=x.device)
        blended: Tensor = sliding_window_inference(  # type: ignore[assignment]
            x,
            roi_size=(self.window, *x.shape[3:]),
            sw_batch_size=self.windows_at_once,
            predictor=lambda part, places: self._predict(part, places, each, context),
            # MONAI rounds window·(1 − overlap) down to the stride; the half keeps it clear of rounding errors.
            overlap=((self.window - self.stride - 0.5) / self.window if self.stride < self.window else 0, 0, 0),
            roi_weight_map=weights[:, None, None].expand(-1, *x.shape[3:]),
            with_coord=True,
        )
        return blended

    def _predict(self, x: Tensor, places: Sequence[Place], timesteps: Tensor, context: Context | None) -> Tensor:
        clips = [place[0].start for place in places]
        part = map_context(lambda values: _cut(values, places), context)
        prediction: Tensor = self.network(x, timesteps=timesteps[clips], context=part)
        return prediction.clone()  # MONAI weights it in place, and a network may hand on what it was given


def _cut(values: Tensor, places: Sequence[Place]) -> Tensor:
    """Take what is asked of each window from what is asked of the clips, (B, ...)."""
    return torch.stack([_cut_one(values[place[0].start], place[2]) for place in places])


def _cut_one(values: Tensor, frames: slice) -> Tensor:
    """Take what is asked of a window from what is asked of its clip, (...) or, by frames, (·, k, ·, ·)."""
    if values.ndim < 4:
        return values
    num_frames = min(values.shape[1], frames.stop - frames.start)
    given = values[:, frames.start : frames.start + num_frames]  # (·, ≤ k, ·, ·)
    missing = num_frames - given.shape[1]
    return F.pad(given, (0, 0, 0, 0, 0, missing), value=NONE) if missing else given
