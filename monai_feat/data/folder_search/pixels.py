# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Masks that no name gives away, told by their pixels: a few values, and nothing between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from monai_feat.data.readers.load import open_clip
from monai_feat.data.video_reader import VideoReadError

__all__ = ["MOST_VALUES", "find_masks_by_pixels", "looks_like_mask"]

MOST_VALUES = 24
"""Classes of a mask; pictures have more values, but for the smallest."""
_SAMPLE = 3  # clips looked at of each kind of name in a folder
_NEAR = 12  # grey levels that JPEG and video put around black and white
_MOST_BETWEEN = 0.03  # share of the pixels, at the edges of structures
_LEAST_PIXELS = 64  # per value: a tiny picture has few values by itself


def looks_like_mask(frame: Tensor) -> bool | None:
    """Whether a frame has the pixels of a mask; None where it is of one value and does not say.

    Args:
        frame: uint8 ``(C, H, W)``.
    """
    packed = sum(plane.long() << (8 * place) for place, plane in enumerate(frame))
    values = int(torch.unique(torch.as_tensor(packed)).numel())
    if values == 1:
        return None
    if values <= MOST_VALUES:
        return values * _LEAST_PIXELS <= frame[0].numel()
    dark, light = (frame <= _NEAR).all(0), (frame >= 255 - _NEAR).all(0)
    between = 1 - float((dark | light).float().mean())
    areas = min(float(dark.float().mean()), float(light.float().mean()))
    return between <= _MOST_BETWEEN and areas > between  # dark pictures with a few bright spots have more between


def find_masks_by_pixels(groups: Mapping[Path, Sequence[Path]]) -> set[Path]:
    """Find the masks among clips, of which a few are looked at: clips of one group are all masks, or none is.

    Args:
        groups: clips by what they have in common: their folder and the kind of their name.

    Returns:
        The clips of the groups in which every clip that was looked at has the pixels of a mask.
    """
    found: set[Path] = set()
    for clips in groups.values():
        step = max(1, len(clips) // _SAMPLE)
        looks = [look for clip in clips[::step][:_SAMPLE] if (look := _look(clip)) is not None]
        if looks and all(looks):
            found.update(clips)
    return found


def _look(path: Path) -> bool | None:
    try:
        clip = open_clip(path)
        return looks_like_mask(clip.read(start=clip.frames // 2, num_frames=1)[:, 0])
    except (VideoReadError, OSError):
        return False  # it cannot be read, which its reader says better
