# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One way in for clips, wherever they come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from monai.data import MetaTensor
from torch import Tensor
from torch.utils.data import Dataset

from monai_feat.data.clip_folder import ClipFolderDataset, OnBad, find_clips
from monai_feat.data.phantoms import PhantomDataset
from monai_feat.transforms.functional import Fit
from monai_feat.transforms.video.functional import OnShort

__all__ = ["PHANTOM_PREFIX", "open_clips"]

PHANTOM_PREFIX = "phantom:"


def open_clips(
    source: str | os.PathLike[str],
    num_clips: int,
    num_frames: int = 16,
    size: int | tuple[int, int] = 64,
    channels: int = 3,
    frame_rate: float | None = None,
    fit: Fit = "crop",
    on_bad: OnBad = "error",
    on_short: OnShort = "error",
    seed: int = 0,
    preprocessing: Callable[[MetaTensor], Tensor] | None = None,
) -> Dataset[dict[str, Any]]:
    """Open a folder of videos, or procedural clips, as a data set of clips of one shape.

    Args:
        source: a folder of videos or stills; or ``phantom:`` and the name of a phantom, such as ``phantom:endoscopy``.
        num_clips: how many clips; a folder gives the next multiple of its number of videos, so that each video counts
            the same, or one clip of each of so many videos, spread over the folder, where it holds more.
        num_frames: frames T of each clip.
        size: frame size in pixels, ``(H, W)`` or one number.
        channels: 3 for RGB, 1 for grey.
        frame_rate: frames per second of the clips in Hz; None keeps that of each video, or the phantom's own.
        fit: how a video's frame becomes one of ``size``: ``crop`` or ``pad``. Phantoms are rendered at size.
        on_bad: ``error`` or ``skip``: what to do about a file that cannot be used.
        on_short: ``error`` or ``loop``: what to do about a video with fewer than ``num_frames`` frames.
        seed: decides which clips; another seed gives others.
        preprocessing: what `ClipFolderDataset` does to each video at full size; phantoms have nothing to take away.

    Returns:
        A data set whose items hold ``image``, float32 ``(C, T, H, W)`` in [-1, 1].

    Raises:
        FileNotFoundError: when the folder does not exist or holds no clip.
        ValueError: when an argument does not fit, or there is no such phantom.

    Example:
        >>> clips = open_clips("phantom:ultrasound", num_clips=4, num_frames=2, size=32, channels=1)
        >>> len(clips), tuple(clips[0]["image"].shape)
        (4, (1, 2, 32, 32))
    """
    if num_clips < 1:
        raise ValueError(f"num_clips must be at least 1, got {num_clips}")
    if str(source).startswith(PHANTOM_PREFIX):
        kind = str(source).removeprefix(PHANTOM_PREFIX)
        return _open_phantoms(kind, num_clips, num_frames, size, channels, frame_rate, seed)
    num_videos = len(find_clips(source))
    return ClipFolderDataset(
        source,
        num_frames=num_frames,
        size=size,
        channels=channels,
        frame_rate=frame_rate,
        clips_per_video=-(-num_clips // num_videos),
        max_videos=num_clips,
        fit=fit,
        on_bad=on_bad,
        on_short=on_short,
        seed=seed,
        preprocessing=preprocessing,
    )


def _open_phantoms(
    kind: str,
    num_clips: int,
    num_frames: int,
    size: int | tuple[int, int],
    channels: int,
    frame_rate: float | None,
    seed: int,
) -> PhantomDataset:
    options: dict[str, Any] = {} if frame_rate is None else {"frame_rate": frame_rate}
    phantoms = PhantomDataset(kind, num_clips, seed=seed, size=size, num_frames=num_frames, **options)
    if (made := phantoms[0]["image"].shape[0]) != channels:
        raise ValueError(f"{kind} phantoms have {made} channels, {channels} were asked for; set channels={made}")
    return phantoms
