# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Transforms of one clip ``(C, T, H, W)``; a MetaTensor's frame rate and affine follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from monai.transforms import RandomizableTransform, Transform
from torch import Tensor

from monai_feat.transforms.confidence import checked_confidence
from monai_feat.transforms.functional import Fit, resize_clip, rgb_to_grey, to_uint8, to_unit_range
from monai_feat.transforms.video.functional import (
    FrameSampling,
    OnShort,
    TimeFilter,
    detect_greyness,
    resample_frame_rate,
    resize_labels,
    to_and_fro,
)
from monai_feat.transforms.video.meta import carry_meta, frame_rate_of, plain

__all__ = [
    "DropFalseColour",
    "RandSampleFrames",
    "ResampleFrameRate",
    "ResizeClip",
    "ResizeLabels",
    "SampleFrames",
    "ToUint8",
    "ToUnitRange",
]


class SampleFrames(Transform):
    """Take one clip out of a longer one, at a fixed place.

    Args:
        sampling: how many frames, how far apart; also as a dict of the arguments of `FrameSampling`.
        position: where the clip lies in the room that there is: 0 at the beginning, 0.5 in the middle, 1 at the end.
        on_short: ``"error"`` refuses a clip with too few frames; ``"loop"`` plays it to and fro.

    Raises:
        ValueError: an argument is out of range; on call, a clip too short or without a needed frame rate.
    """

    def __init__(
        self, sampling: FrameSampling | dict[str, Any], position: float = 0.0, on_short: OnShort = "error"
    ) -> None:
        if not 0 <= position <= 1:
            raise ValueError(f"expected position in [0, 1], got {position}")
        if on_short not in get_args(OnShort):
            raise ValueError(f"expected on_short to be one of {get_args(OnShort)}, got {on_short!r}")
        self.sampling = sampling if isinstance(sampling, FrameSampling) else FrameSampling(**sampling)
        self.position, self.on_short = position, on_short

    def __call__(self, clip: Any, frame_rate: float | None = None) -> Tensor:
        """Take the frames.

        Args:
            clip: ``(C, T, H, W)``.
            frame_rate: of `clip`, Hz; None takes it from the metadata.
        """
        return self.take(clip, self.position, frame_rate)

    def take(self, clip: Any, position: float, frame_rate: float | None = None) -> Tensor:
        """Take the frames at another position than the configured one."""
        rate = frame_rate_of(clip) if frame_rate is None else frame_rate
        pixels, step = plain(clip), self.sampling.step(rate)
        offsets = self.sampling.offsets(rate)
        available, needed = pixels.shape[1], int(offsets[-1]) + 1
        if available < needed and self.on_short == "error":
            raise ValueError(
                f"the clip has {available} frames; {needed} are needed for {len(offsets)} frames at this stride or "
                "rate: ask for fewer frames or a smaller stride, leave the clip out, or set on_short='loop'"
            )
        start = min(int(position * (available - needed + 1)), available - needed) if available >= needed else 0
        numbers = offsets + start if available >= needed else to_and_fro(offsets, available)
        meta = {"frame_rate": rate / step} if rate else {}
        return carry_meta(clip, pixels[:, numbers], meta, (step, 1.0, 1.0), (float(start), 0.0, 0.0))


class RandSampleFrames(RandomizableTransform):
    """Take one clip out of a longer one, anywhere with equal probability.

    Args:
        sampling: how many frames, how far apart; also as a dict of the arguments of `FrameSampling`.
        on_short: ``"error"`` refuses a clip with too few frames; ``"loop"`` plays it to and fro.

    Raises:
        ValueError: as `SampleFrames`.
    """

    def __init__(self, sampling: FrameSampling | dict[str, Any], on_short: OnShort = "error") -> None:
        RandomizableTransform.__init__(self, 1.0)
        self.sampler = SampleFrames(sampling, on_short=on_short)
        self.position = 0.0

    def randomize(self, data: Any = None) -> None:
        """Draw a position in [0, 1)."""
        super().randomize(data)
        self.position = float(self.R.random())

    def __call__(self, clip: Any, frame_rate: float | None = None, randomize: bool = True) -> Tensor:
        """Take the frames; `randomize=False` takes them where they were taken last."""
        if randomize:
            self.randomize()
        return self.sampler.take(clip, self.position, frame_rate)


class ResampleFrameRate(Transform):
    """Bring a clip to a frame rate by `resample_frame_rate`.

    Args:
        frame_rate: Hz.
        time_filter: ``"area"`` averages over time without aliasing; ``"nearest"`` takes whole frames, for labels.
    """

    def __init__(self, frame_rate: float, time_filter: TimeFilter = "area") -> None:
        self.frame_rate, self.time_filter = frame_rate, time_filter

    def __call__(self, clip: Any, frame_rate: float | None = None) -> Tensor:
        """Resample.

        Args:
            clip: ``(C, T, H, W)``.
            frame_rate: of `clip`, Hz; None takes it from the metadata.

        Raises:
            ValueError: the clip has no frame rate, or the arguments do not fit.
        """
        rate = frame_rate_of(clip) if frame_rate is None else frame_rate
        if not rate:
            raise ValueError("the clip has no frame rate: set it (metadata or item key 'frame_rate', Hz)")
        pixels = resample_frame_rate(plain(clip), rate, self.frame_rate, self.time_filter)
        return carry_meta(clip, pixels, {"frame_rate": self.frame_rate}, (rate / self.frame_rate, 1.0, 1.0))


class ResizeClip(Transform):
    """Resize all frames by `resize_clip`, the one resampler.

    Args:
        size: rows and columns; one number for both.
        fit: ``"crop"`` or ``"pad"``.
    """

    def __init__(self, size: int | Sequence[int], fit: Fit = "crop") -> None:
        self.size: int | tuple[int, ...] = size if isinstance(size, int) else tuple(size)
        self.fit: Fit = fit

    def __call__(self, clip: Any) -> Tensor:
        """Resize ``(C, T, H, W)`` or ``(C, H, W)``."""
        before = plain(clip)
        after = self.resample(before)
        ratios = [old / new for old, new in zip(before.shape[-2:], after.shape[-2:], strict=True)]
        scale = min(ratios) if self.fit == "crop" else max(ratios)
        # Both pictures have one centre; pixel i lies at i + 1/2.
        rows, columns = (
            (old - 1) / 2 - scale * (new - 1) / 2 for old, new in zip(before.shape[-2:], after.shape[-2:], strict=True)
        )
        return carry_meta(clip, after, scale=(1.0, scale, scale), start=(0.0, rows, columns))

    def resample(self, pixels: Tensor) -> Tensor:
        """The pixels at the new size."""
        return resize_clip(pixels, self.size, self.fit)


class ResizeLabels(ResizeClip):
    """Resize a label map as `ResizeClip` resizes the picture, by `resize_labels`; no new values appear."""

    def resample(self, pixels: Tensor) -> Tensor:
        """The labels at the new size."""
        return resize_labels(pixels, self.size, self.fit)


class ToUnitRange(Transform):
    """Map uint8 in [0, 255] to float32 in [-1, 1]."""

    def __call__(self, clip: Any) -> Tensor:
        """Map a clip of any shape."""
        return carry_meta(clip, to_unit_range(plain(clip)))


class ToUint8(Transform):
    """Map float in [-1, 1] to uint8 in [0, 255], rounding to the nearest level."""

    def __call__(self, clip: Any) -> Tensor:
        """Map a clip of any shape."""
        return carry_meta(clip, to_uint8(plain(clip)))


class DropFalseColour(Transform):
    """Make one channel of an RGB clip that is grey, by `detect_greyness`; leave alone one that is coloured, or unsure.

    The luma of grey pixels is their level. The metadata say what was found: ``greyness_confidence``.

    Args:
        min_confidence: below it the clip keeps its three channels.

    Raises:
        ValueError: `min_confidence` is not in [0, 1].
    """

    def __init__(self, min_confidence: float = 0.5) -> None:
        self.min_confidence = checked_confidence(min_confidence)

    def __call__(self, clip: Any) -> Tensor:
        """Return ``(1, T, H, W)`` or the clip's own ``(3, T, H, W)``; uint8 in [0, 255] or float in [-1, 1]."""
        pixels = plain(clip)
        confidence = detect_greyness(pixels).confidence
        if pixels.shape[0] == 3 and confidence >= self.min_confidence:
            is_float = pixels.is_floating_point()
            grey = rgb_to_grey(to_uint8(pixels) if is_float else pixels)
            pixels = to_unit_range(grey) if is_float else grey
        return carry_meta(clip, pixels, {"greyness_confidence": confidence})
