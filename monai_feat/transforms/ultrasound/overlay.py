# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is burnt into an ultrasound clip: text, rulers, traces around the field, marks drawn over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from monai_feat.transforms.functional import to_levels
from monai_feat.transforms.ultrasound.geometry import UltrasoundField
from monai_feat.transforms.video.functional import sample_times

__all__ = ["StaticMarks", "detect_static_marks", "fill_outside", "fill_static_marks"]


Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_MOST_FRAMES = 32
_FEWEST_FRAMES = 4  # stillness means little in fewer
_STILL = 4.0  # standard deviation over time in grey levels: a codec's noise on a mark that does not move
_MOVING = 8.0  # the same of echoes around a mark
_BRIGHT = 100.0  # grey levels
_STANDS_OUT = 40.0  # grey levels above the surroundings
_SAME_COLOUR = 8.0  # standard deviation over time of a channel in grey levels: codecs blur colours more
_COLOURED = 60.0  # largest less smallest channel
_TINT = 15.0  # the same, as a median over a field without colour Doppler and without tinted display
_STROKE = 160  # strokes of annotations are thinner than this part of the longest side
_LEAST_FLOW = 0.005  # part of the field; a probe's mark or a coloured button covers less
_MOST_MARKED = 0.05  # part of the field that marks cover


@dataclass(frozen=True)
class StaticMarks:
    """Marks that are drawn over the field of view and stand still.

    Attributes:
        mask: Their pixels with a margin, bool, shape ``(H, W)``.
        confidence: In [0, 1]; what it means is said at `detect_static_marks`.
    """

    mask: Tensor
    confidence: float


def fill_outside(clip: Tensor, mask: Tensor, value: float) -> Tensor:
    """Replace the pixels of all frames ``(..., H, W)`` at which `mask` ``(H, W)`` is False.

    Raises:
        ValueError: The mask has another size than the frames.
    """
    if clip.shape[-2:] != mask.shape:
        raise ValueError(f"expected a mask of the frames' size {tuple(clip.shape[-2:])}, got {tuple(mask.shape)}")
    return clip.masked_fill(~mask.to(clip.device), value)


def detect_static_marks(clip: Tensor, field: UltrasoundField) -> StaticMarks:
    """Find calipers, arrows, text, rulers and coloured marks that lie on the field of view.

    A mark is thin and either of one colour all the time, in a field that is grey as a whole; or bright, brighter than
    its surroundings, and still (standard deviation over time at most 4 grey levels) while they flicker (at least 8).
    So nothing but colour is found in fewer than 4 frames or in a frozen clip. Where coloured areas are thicker than
    strokes, they are flow (colour or power Doppler): then no colour is taken for a mark, not even a caliper's. Up to 32
    frames are looked at, evenly spaced.

    Confidence is 1 where marks cover up to 5 % of the field and falls to 0 at 10 %: more is not an annotation.

    Args:
        clip: ``(C, T, H, W)`` with one or three channels; uint8 in [0, 255] or float in [-1, 1].
        field: The field of view, of the frame's size.

    Returns:
        The marks inside the field.

    Raises:
        ValueError: The clip is not of this shape, or the field has another size.
    """
    if clip.ndim != 4 or clip.shape[0] not in (1, 3) or clip.shape[-2:] != field.mask.shape:
        size = tuple(field.mask.shape)
        raise ValueError(f"expected (C, T, H, W), C 1 or 3, of the field's size {size}, got {tuple(clip.shape)}")
    inside = field.mask.cpu().numpy()
    frames = clip[:, torch.from_numpy(sample_times(clip.shape[1], _MOST_FRAMES))]
    pixels = to_levels(frames)
    window = 2 * max(3, max(inside.shape) // 40) + 1
    marks = _still_marks(pixels.amax(0), inside, window) | _coloured_marks(pixels, inside)
    thick = ndimage.binary_opening(marks, np.ones((window // 2 + 1, window // 2 + 1)))
    marks = (marks & ~thick) & inside
    share = marks.sum() / inside.sum()
    margin = 1 + round(max(inside.shape) / 400)
    widened = ndimage.binary_dilation(marks, np.ones((3, 3)), iterations=margin) & inside
    return StaticMarks(torch.from_numpy(widened), float(np.clip(2 - share / _MOST_MARKED, 0, 1)))


def _still_marks(grey: Tensor, inside: Bools, window: int) -> Bools:
    """Bright and still pixels among flickering ones; `grey` is ``(T, H, W)``."""
    if grey.shape[0] < _FEWEST_FRAMES:
        return np.zeros_like(inside)
    flicker, mean = grey.std(0).cpu().numpy(), grey.mean(0).cpu().numpy()
    still = flicker <= _STILL
    around = _mean_over(flicker, inside & ~still, window)
    stands_out = mean > _mean_over(mean, inside & ~still, window) + _STANDS_OUT
    return np.asarray(inside & still & (mean > _BRIGHT) & stands_out & (around >= _MOVING))


def _mean_over(values: Floats, where: Bools, window: int) -> Floats:
    """Mean over those pixels of a square window at which `where` is True; 0 where there are none."""
    weight = ndimage.uniform_filter(where.astype(np.float32), window)
    total = ndimage.uniform_filter(np.where(where, values, 0).astype(np.float32), window)
    return np.where(weight > 1e-6, total / np.maximum(weight, 1e-6), 0).astype(np.float32)


def _coloured_marks(pixels: Tensor, inside: Bools) -> Bools:
    """Pixels that have one colour in every frame; none where the field shows flow, which is coloured as well."""
    if pixels.shape[0] == 1:
        return np.zeros_like(inside)
    colour = (pixels.amax(0) - pixels.amin(0)).amin(0).cpu().numpy()
    if np.median(colour[inside]) > _TINT or _shows_flow(colour, inside):
        return np.zeros_like(inside)
    change = pixels.std(1, correction=0).amax(0).cpu().numpy()
    return np.asarray(inside & (colour > _COLOURED) & (change <= _SAME_COLOUR))


def _shows_flow(colour: Floats, inside: Bools) -> bool:
    """Whether coloured areas thicker than the strokes of annotations cover part of the field: colour or power Doppler.

    Args:
        colour: largest less smallest channel of each pixel, in grey levels.
        inside: the field.
    """
    coloured = inside & (colour > _COLOURED)
    depth = ndimage.distance_transform_edt(np.pad(coloured, 1))[1:-1, 1:-1]
    pieces, count = ndimage.label(coloured, np.ones((3, 3)))
    thickest = np.atleast_1d(ndimage.maximum(depth, pieces, np.arange(count + 1)))
    is_thick = thickest > max(2.0, max(inside.shape) / _STROKE)
    is_thick[0] = False
    return bool(is_thick[pieces].sum() >= _LEAST_FLOW * inside.sum())


def fill_static_marks(clip: Tensor, field: UltrasoundField, marks: StaticMarks) -> Tensor:
    """Replace marks by the nearest echoes: each marked pixel takes, in each frame, the value of one unmarked pixel.

    Copies keep the grain of the speckle, which interpolation would smooth away. A field that is marked all over is
    returned as it is.

    Args:
        clip: ``(C, T, H, W)``.
        field: The field of view; only its pixels are copied.
        marks: What is replaced.

    Returns:
        A new clip of the same shape and type.
    """
    usable = (field.mask & ~marks.mask).cpu().numpy()
    if not usable.any():
        return clip.clone()
    rows, columns = ndimage.distance_transform_edt(~usable, return_distances=False, return_indices=True)
    at = marks.mask.cpu()
    filled = clip.clone()
    filled[..., at] = clip[..., torch.from_numpy(rows)[at].long(), torch.from_numpy(columns)[at].long()]
    return filled
