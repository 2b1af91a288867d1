# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips that play inside a page.

A clip is one still picture, its frames side by side as on a film strip, that CSS moves along frame by frame. Unlike a
video inside a page, this plays in every browser (Safari refuses video in data URIs), without a codec and without a
script, keeps clips side by side on the same frame, can be stepped, and prints.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from monai_feat.visualize.markup import Html, element, join

__all__ = ["MOST_FRAMES", "clip_player", "clip_set", "film_strip"]

MOST_FRAMES = 64
"""Frames of a clip that a page plays; the rest is left out."""
_GUTTER = 2  # pixels repeated on both sides of a frame, so that its neighbours do not shine through when it is scaled
_LONGEST_STRIP = 16383  # pixels, a limit of WebP


def film_strip(clip: Tensor, width: int = 160, quality: int = 80) -> bytes:
    """Return the frames of a clip side by side as one WebP picture.

    Args:
        clip: uint8 tensor ``(C, T, H, W)`` in [0, 255]; C = 3 (RGB) or 1 (grey).
        width: of a frame in pixels, at most; frames are reduced to it, never enlarged.
        quality: of WebP, 0 to 100.

    Raises:
        TypeError: `clip` is not uint8.
        ValueError: the shape or the width is not as described, or the strip is longer than WebP allows.
    """
    return _encode(_strip_frames(clip, width), quality)


def clip_player(
    clip: Tensor, frame_rate: float, label: str, caption: str = "", width: int = 160, quality: int = 80
) -> Html:
    """Return a figure that plays a clip, over and over, its first `MOST_FRAMES` frames.

    Args:
        clip: uint8 tensor ``(C, T, H, W)`` in [0, 255]; C = 3 (RGB) or 1 (grey).
        frame_rate: Hz.
        label: what the clip is, for people who do not see it.
        caption: below the clip; `Html`, or text.
        width: of a stored frame in pixels, at most; the page decides how large it is shown.
        quality: of WebP, 0 to 100.

    Raises:
        TypeError: `clip` is not uint8.
        ValueError: shape, width or frame rate are not as described.
    """
    if not 0 < frame_rate < float("inf"):
        raise ValueError(f"expected a frame rate above 0 Hz, got {frame_rate}")
    frames = _strip_frames(clip[:, :MOST_FRAMES] if clip.ndim == 4 else clip, width)
    data = base64.b64encode(_encode(frames, quality)).decode("ascii")
    picture = element(
        "img",
        class_="clip",
        alt=f"{label}; a clip of {len(frames)} frames",
        decoding="async",
        data_frames=len(frames),
        style=_motion(frames, frame_rate),
        src=f"data:image/webp;base64,{data}",
    )
    return element("figure", picture, element("figcaption", caption) if caption else Html())


def clip_set(players: Sequence[Html], label: str, abreast: bool = False) -> Html:
    """Return clips that are stopped, stepped and slowed together.

    Args:
        players: of `clip_player`.
        label: what the set is, for people who do not see it.
        abreast: three beside each other at any width, to compare them, rather than as many as there is room for.
    """
    buttons = (
        element("button", "Pause", type="button"),
        element("button", "‹", type="button", aria_label="one frame back", title="one frame back"),
        element("button", "›", type="button", aria_label="one frame ahead", title="one frame ahead"),
        element("button", "¼ speed", type="button", aria_pressed="false"),
    )
    return element(
        "div",
        element("div", *buttons, class_="controls", hidden=True),
        element("div", join(list(players)), class_="row"),
        class_="clips abreast" if abreast else "clips",
        role="group",
        aria_label=label,
    )


def _strip_frames(clip: Tensor, width: int) -> npt.NDArray[np.uint8]:
    """Check a clip and turn it into frames ``(T, h, w, 3)`` of the stored size."""
    if clip.dtype != torch.uint8:
        raise TypeError(f"expected a uint8 clip, got {clip.dtype}; see monai_feat.transforms.functional.to_uint8")
    if clip.ndim != 4 or clip.shape[0] not in (1, 3) or 0 in clip.shape:
        raise ValueError(f"expected a clip of shape (C, T, H, W) with C = 1 or 3, got {tuple(clip.shape)}")
    if width < 1:
        raise ValueError(f"expected a width of at least 1 pixel, got {width}")
    frames = np.ascontiguousarray(clip.detach().cpu().expand(3, -1, -1, -1).permute(1, 2, 3, 0).numpy())
    height, full_width = frames.shape[1:3]
    if full_width <= width:
        return frames
    size = (width, max(1, round(height * width / full_width)))
    return np.stack([np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS)) for frame in frames])


def _encode(frames: npt.NDArray[np.uint8], quality: int) -> bytes:
    wide = np.pad(frames, ((0, 0), (0, 0), (_GUTTER, _GUTTER), (0, 0)), mode="edge")
    strip = np.concatenate(list(wide), axis=1)
    if max(strip.shape[:2]) > _LONGEST_STRIP:
        raise ValueError(
            f"a strip of {len(frames)} frames of {frames.shape[2]} × {frames.shape[1]} pixels is longer than WebP's "
            f"{_LONGEST_STRIP} pixels; take fewer frames or a smaller width"
        )
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, format="WEBP", quality=quality, method=4)
    return buffer.getvalue()


def _motion(frames: npt.NDArray[np.uint8], frame_rate: float) -> str:
    """CSS that moves the strip: at p per cent, that share of what overflows lies left of the window."""
    count, height, width = frames.shape[:3]
    pitch = width + 2 * _GUTTER
    overflow = count * pitch - width
    start, end = (100 * (k * pitch + _GUTTER) / overflow for k in (0, count))
    return (
        f"aspect-ratio:{width}/{height};--from:{start:.5f}%;--to:{end:.5f}%;"
        f"animation-duration:{count / frame_rate:.6g}s;animation-timing-function:steps({count})"
    )
