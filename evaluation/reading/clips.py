# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips of one shape, cut from recordings and prepared the same way on every side.

A window is the frames of one clip: one recording and the numbers of T of its frames. Clips are prepared when they are
asked for, so that no side has to fit into memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from monai_feat.metrics.features import resize_for_cdfvd
from monai_feat.transforms import Fit, resize_clip, to_channels

from .recordings import Recording
from .sources import Side, SourceOptions

__all__ = ["ClipSet", "Resampler", "SideFit", "Window", "WindowRule", "cut_windows", "evenly_spaced"]

WindowRule = Literal["random", "first", "cover", "every"]
"""One window per recording, at an offset drawn from the seed and the content, or at its first frame; or windows end to
end, of which the last is moved back to end with the recording, or else (every frame once) is shorter."""

SideFit = Literal[Fit, "squash"]
"""How a frame of another shape becomes one of the size that is compared: cropped, padded, or distorted."""

Resampler = Literal["bilinear", "cd_fvd", "pil_bicubic"]
"""Antialiased bilinear, rounded to 8 bits; the loader of CD-FVD, which crops to a square and truncates to 8 bits; or
Pillow's bicubic, as Endora and FEAT prepare frames, which squashes them."""

# Clips that are asked for again are decoded again only beyond this.
KEEP_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Window:
    """The frames of one clip."""

    recording: int
    numbers: tuple[int, ...]
    name: str


def cut_windows(side: Side, rule: WindowRule, options: SourceOptions, seed: int = 0) -> list[Window]:
    """Choose the windows of a side.

    A random offset depends on the seed and on the recording's content alone: not on its name, its place in the folder
    or the other recordings.

    Args:
        side: its recordings, in the order of the result.
        rule: see `WindowRule`.
        options: length and stride of a window.
        seed: of random offsets.
    """
    windows = []
    for index, recording in enumerate(side.recordings):
        offsets = options.offsets(recording.frame_rate)
        for start in _starts(recording, offsets[-1] + 1, rule, seed):
            name = recording.name if start == 0 or rule in ("random", "first") else f"{recording.name}@{start}"
            numbers = tuple(n for n in (start + offset for offset in offsets) if n < recording.frames)
            windows.append(Window(index, numbers, name))
    return windows


def _starts(recording: Recording, span: int, rule: WindowRule, seed: int) -> list[int]:
    last = recording.frames - span
    if rule == "every":
        return list(range(0, recording.frames, span))
    if rule == "cover":
        return sorted({*range(0, last + 1, span), last})
    if rule == "first" or last == 0:
        return [0]
    return [int(np.random.default_rng([seed, int(recording.digest[:16], 16)]).integers(last + 1))]


def evenly_spaced(total: int, wanted: int) -> list[int]:
    """At most so many of the numbers below `total`, evenly spaced."""
    count = min(total, wanted)
    return [i * total // count for i in range(count)]


class ClipSet(Sequence[Tensor]):
    """The clips of a side as uint8 ``(C, T, H, W)``, prepared when asked for.

    Args:
        side: where they come from.
        windows: which frames.
        size: rows and columns, by `resize_clip`.
        channels: 3 for RGB, 1 for grey (luma).
        fit: see `SideFit`; only the bilinear resampler has a choice.
        resampler: see `Resampler`.
        jpeg_quality: of a JPEG file that every frame is saved to and read from; None leaves frames as they are.

    Attributes:
        names: of the clips.
        groups: their patients or sequences.
    """

    def __init__(
        self,
        side: Side,
        windows: Sequence[Window],
        size: tuple[int, int],
        channels: int,
        fit: SideFit = "crop",
        resampler: Resampler = "bilinear",
        jpeg_quality: int | None = None,
    ) -> None:
        self._side, self._windows = side, list(windows)
        self.size, self.channels, self._fit, self._resampler = size, channels, fit, resampler
        self._jpeg_quality = jpeg_quality
        self.names = [window.name for window in windows]
        self.groups = [side.recordings[window.recording].group for window in windows]
        self._kept: dict[int, Tensor] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self._windows)

    @overload
    def __getitem__(self, index: int) -> Tensor: ...

    @overload
    def __getitem__(self, index: slice) -> list[Tensor]: ...

    def __getitem__(self, index: int | slice) -> Tensor | list[Tensor]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        if index not in self._kept:
            clip = self._prepare(self._windows[index])
            if self._kept_bytes + clip.nbytes > KEEP_BYTES:
                return clip
            self._kept[index] = clip
            self._kept_bytes += clip.nbytes
        return self._kept[index]

    def recording(self, index: int) -> int:
        """Number, in its side, of the recording that a clip is of."""
        return self._windows[index].recording

    def frame_rate(self, index: int) -> float:
        """Frame rate of a clip in Hz, 0.0 where it is unknown."""
        window = self._windows[index]
        span = window.numbers[-1] - window.numbers[0]
        return self._side.recordings[window.recording].frame_rate * (len(window.numbers) - 1) / max(1, span)

    def digests(self) -> Iterator[str]:
        """What each clip is made of: content of its recording, and its frames."""
        for window in self._windows:
            yield f"{self._side.recordings[window.recording].digest}:{window.numbers[0]}"

    def _prepare(self, window: Window) -> Tensor:
        # Small tensors that outlive large ones would fragment the heap: all room is taken beforehand.
        clip = torch.empty(self.channels, len(window.numbers), *self.size, dtype=torch.uint8)
        frames = self._side.recordings[window.recording].iter_frames(window.numbers, self.size)
        for t, frame in enumerate(frames):
            resized = self._resize(frame)
            saved = resized if self._jpeg_quality is None else _through_jpeg(resized, self._jpeg_quality)
            clip[:, t] = to_channels(saved, self.channels)
        return clip

    def _resize(self, frame: Tensor) -> Tensor:
        if self._resampler == "cd_fvd":
            return resize_for_cdfvd(frame[None, :, None], self.size[0])[0, :, 0]
        if self._resampler == "pil_bicubic":
            return _from_image(_to_image(frame).resize(self.size[::-1], Image.Resampling.BICUBIC))
        return _squash(frame, self.size) if self._fit == "squash" else resize_clip(frame, self.size, self._fit)


def _squash(frame: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize a frame ``(C, H, W)`` whatever its shape, by the interpolation of `resize_clip`."""
    resized = F.interpolate(frame[None].float(), size, mode="bilinear", antialias=True, align_corners=False)
    return resized[0].round().clamp(0, 255).to(torch.uint8)


def _through_jpeg(frame: Tensor, quality: int) -> Tensor:
    buffer = io.BytesIO()
    _to_image(frame).save(buffer, "JPEG", quality=quality)
    return _from_image(Image.open(buffer))


def _to_image(frame: Tensor) -> Image.Image:
    """A uint8 frame ``(C, H, W)``, grey or RGB, as Pillow has it."""
    pixels = frame.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _from_image(image: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(image))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)
