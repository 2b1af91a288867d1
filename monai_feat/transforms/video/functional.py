# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Time and colour of clips: which frames, at which rate, and whether their colour is any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.transforms.functional import Fit, resize_clip, to_levels

__all__ = [
    "FrameSampling",
    "Greyness",
    "OnShort",
    "TimeFilter",
    "detect_greyness",
    "frame_offsets",
    "resample_frame_rate",
    "resize_labels",
    "sample_times",
    "to_and_fro",
]

OnShort = Literal["error", "loop"]
TimeFilter = Literal["nearest", "area"]

# Codecs that store colour at half size, at low rates, stray this far from grey.
_CHROMA_NOISE = 20
# A share of truly coloured pixels that is the interface's (a logo, a bar), not the picture's.
_COLOURED_AT_MOST = 0.005


@dataclass(frozen=True)
class FrameSampling:
    """Which frames make a clip: the one setting that training, generation and scoring have to share.

    A score is a comparison at one frame distance; make one of these and hand it to all that take frames.

    Attributes:
        num_frames: frames T of a clip; None takes `seconds`.
        seconds: duration of a clip, an alternative to `num_frames`: as many frames as are shown in it.
        stride: step between frames, in frames of the source.
        frame_rate: frames per second that clips shall have, an alternative to `stride`: the nearest frames are taken.

    Raises:
        ValueError: not exactly one of `num_frames` and `seconds`, both `stride` and `frame_rate`, or one out of range.
    """

    num_frames: int | None = None
    seconds: float | None = None
    stride: int = 1
    frame_rate: float | None = None

    def __post_init__(self) -> None:
        length = self.seconds if self.num_frames is None else self.num_frames
        if (self.num_frames is None) == (self.seconds is None) or length is None or not length > 0:
            raise ValueError(
                f"expected num_frames >= 1 or seconds > 0, one of them; got {self.num_frames} and {self.seconds}"
            )
        if self.stride < 1 or (self.frame_rate is not None and (self.stride != 1 or not self.frame_rate > 0)):
            raise ValueError(
                f"expected stride >= 1, or a frame_rate above 0 Hz and no stride; got {self.stride}, {self.frame_rate}"
            )

    def step(self, source_rate: float | None) -> float:
        """Frames of the source from one frame of a clip to the next.

        Args:
            source_rate: frames per second of the source, Hz; None or 0 where it has none.

        Raises:
            ValueError: `frame_rate` is set and the source has no rate, or a lower one.
        """
        if self.frame_rate is None:
            return float(self.stride)
        rate = _known(source_rate, "frame_rate")
        if rate < 0.999 * self.frame_rate:
            raise ValueError(
                f"the clip has {rate:.4g} frames per second, {self.frame_rate:.4g} were asked for: ask for fewer, or "
                "use ResampleFrameRate, which repeats frames"
            )
        return max(rate / self.frame_rate, 1.0)

    def offsets(self, source_rate: float | None) -> Tensor:
        """Frame numbers of a clip that begins at frame 0, int64 ``(T,)``."""
        step = self.step(source_rate)
        if self.num_frames is not None:
            return frame_offsets(self.num_frames, step)
        assert self.seconds is not None
        return frame_offsets(max(1, round(self.seconds * _known(source_rate, "seconds") / step)), step)


def _known(source_rate: float | None, setting: str) -> float:
    if not source_rate or not source_rate > 0:
        raise ValueError(
            f"{setting} needs the clip's frame rate, and it has none: set it (metadata or item key 'frame_rate', Hz), "
            "or count in frames (num_frames, stride)"
        )
    return source_rate


def frame_offsets(num_frames: int, step: float) -> Tensor:
    """Nearest source frame to each of `num_frames` frames that are `step` source frames apart: ⌊j·step + ½⌋."""
    return torch.floor(torch.arange(num_frames, dtype=torch.float64) * step + 0.5).long()


def sample_times(available: int, wanted: int) -> npt.NDArray[np.int64]:
    """Numbers of at most `wanted` frames, evenly spaced from the first to the last: what a detector looks at."""
    return np.unique(np.linspace(0, available - 1, min(available, wanted)).round().astype(np.int64))


def to_and_fro(offsets: Tensor, available: int) -> Tensor:
    """Fold frame numbers into 0 … available - 1, playing forwards and backwards in turn (0, 1, 2, 1, 0, 1, …)."""
    period = max(1, 2 * (available - 1))
    phase = offsets % period
    return torch.minimum(phase, period - phase) if available > 1 else torch.zeros_like(offsets)


def resample_frame_rate(
    clip: Tensor, source_rate: float, frame_rate: float, time_filter: TimeFilter = "area"
) -> Tensor:
    """Bring a clip to another frame rate over the same duration.

    Frame j of the result shows the time of source frame j·s, s = source_rate / frame_rate.

    Args:
        clip: ``(C, T, H, W)``, uint8 or float.
        source_rate: frames per second of `clip`, Hz.
        frame_rate: frames per second of the result, Hz.
        time_filter: ``"nearest"`` repeats and leaves out whole frames, those that `FrameSampling` takes: sharp, but
            judders and aliases fast motion. ``"area"`` averages what is shown during each new frame, from (j - ½)·s to
            (j + ½)·s: like a longer exposure, no aliasing, motion is blurred. Raising the rate, it mixes neighbours
            only where a source frame ends.

    Returns:
        ``(C, T', H, W)`` of the same type, T' = ⌈(T - ½) / s⌉.

    Raises:
        ValueError: a rate is not positive, `time_filter` unknown or the clip without frames.
    """
    if time_filter not in get_args(TimeFilter):
        raise ValueError(f"expected time_filter to be one of {get_args(TimeFilter)}, got {time_filter!r}")
    if not (source_rate > 0 and frame_rate > 0):
        raise ValueError(f"expected frame rates above 0 Hz, got {source_rate} and {frame_rate}")
    if clip.ndim != 4 or clip.shape[1] < 1:
        raise ValueError(f"expected a clip (C, T, H, W) with T >= 1, got {tuple(clip.shape)}")
    available, step = clip.shape[1], source_rate / frame_rate
    count = max(1, -int(-(available - 0.5) // step))
    if time_filter == "nearest":
        return clip[:, frame_offsets(count, step).clamp(max=available - 1)]
    weights = _time_weights(available, count, step).to(clip.device)  # (T', T)
    mixed = torch.einsum("ut,cthw->cuhw", weights, clip.float())
    return mixed.to(clip.dtype) if clip.is_floating_point() else mixed.round_().clamp_(0, 255).to(clip.dtype)


def _time_weights(available: int, count: int, step: float) -> Tensor:
    """Share of each source frame, shown from i - ½ to i + ½, in each new one: ``(count, available)``, rows sum to 1."""
    start = (torch.arange(count, dtype=torch.float64)[:, None] - 0.5) * step
    frames = torch.arange(available, dtype=torch.float64)
    overlap = torch.minimum(start + step, frames + 0.5) - torch.maximum(start, frames - 0.5)
    overlap = overlap.clamp_(min=0)
    return (overlap / overlap.sum(1, keepdim=True)).float()


def resize_labels(labels: Tensor, size: int | Sequence[int], fit: Fit = "crop") -> Tensor:
    """Resize a label map as `resize_clip` resizes the picture: each label's mask is resampled, the largest share wins.

    Args:
        labels: ``(1, T, H, W)`` or ``(1, H, W)``, of any type, with few different values.
        size: rows and columns of the result; one number for both.
        fit: as for the picture; ``"pad"`` fills with 0.

    Returns:
        The same values in the same type.

    Raises:
        ValueError: as `resize_clip`, or more than one channel.
    """
    if labels.shape[0] != 1:
        raise ValueError(f"expected labels of one channel (1, T, H, W), got shape {tuple(labels.shape)}")
    values = torch.unique(torch.cat([labels.new_zeros(1), labels.reshape(-1)]))
    values = torch.cat([values[values == 0], values[values != 0]])  # the first wins where padding shows none
    shares = torch.cat([resize_clip((labels == value).float(), size, fit) for value in values])
    return values[shares.argmax(0)][None]


@dataclass(frozen=True)
class Greyness:
    """Whether a clip is grey that is only stored as RGB.

    Attributes:
        coloured: share of pixels that are truly coloured, in [0, 1].
        chroma: 99th percentile of the distance between a pixel's channels, in levels.
        confidence: in [0, 1] that the clip is grey: 1 without a coloured pixel, ½ at 0.5 % of them, 0 from 1 %.
    """

    coloured: float
    chroma: float
    confidence: float


def detect_greyness(clip: Tensor) -> Greyness:
    """Decide by the chroma of up to 16 frames, evenly spaced, whether a clip has colour.

    Chroma is the brightest minus the darkest channel of a pixel, averaged over 3 × 3 pixels; codecs leave up to 20
    levels of it on grey pictures. One still frame with a coloured overlay, or Doppler in some frames, is enough to
    keep the colour: shares are of the most coloured frame.

    Args:
        clip: ``(3, T, H, W)``, or ``(1, T, H, W)``, which is grey; uint8 in [0, 255] or float in [-1, 1].

    Raises:
        ValueError: the shape is not as described.
    """
    if clip.ndim != 4 or clip.shape[0] not in (1, 3) or 0 in clip.shape:
        raise ValueError(f"expected a clip (C, T, H, W) with C = 1 or 3, got {tuple(clip.shape)}")
    frames = clip[:, torch.from_numpy(sample_times(clip.shape[1], 16))]
    # Averaged before the channels are compared: codec noise of either sign cancels.
    smooth = F.avg_pool2d(to_levels(frames).transpose(0, 1), 3, 1, 1, count_include_pad=False)  # (T, C, H, W)
    chroma = smooth.amax(1) - smooth.amin(1)
    coloured = float((chroma > _CHROMA_NOISE).float().mean((1, 2)).max())
    tail = max(1, round(0.01 * chroma.numel()))
    high = float(chroma.reshape(-1).topk(tail).values[-1])
    return Greyness(coloured, high, max(0.0, 1 - coloured / (2 * _COLOURED_AT_MOST)))
