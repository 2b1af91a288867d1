# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is taken off the frames of a video at full size, alike for training and for what is compared with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from monai.data import MetaTensor
from torch import Tensor

from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.load import clip_meta

__all__ = ["Preprocessing", "preprocess_frames"]

Preprocessing: TypeAlias = Callable[[MetaTensor], Tensor]
"""Maps a uint8 MetaTensor ``(C, T, H, W)`` to one of the same T: an array transform such as `CropToFieldOfView`."""


def preprocess_frames(
    preprocessing: Preprocessing, frames: Sequence[Tensor], file: ClipFile, start: int
) -> tuple[MetaTensor, Tensor]:
    """Preprocess frames of one file, which detectors see together.

    Args:
        preprocessing: what to do.
        frames: ``(C, H, W)`` each, uint8, as the file has them.
        file: that they are of.
        start: number of the first of them in the file.

    Returns:
        The frames before, with metadata, and after; ``(C, T, H, W)`` both.

    Raises:
        RuntimeError: preprocessing fails; names the file.
        ValueError: it returns something else than uint8 frames, as many as there were.
    """
    stacked = torch.stack(list(frames), dim=1)
    before = MetaTensor(stacked, meta=clip_meta(file, tuple(stacked.shape), start=start))
    try:
        after = preprocessing(before)
    except Exception as error:
        raise RuntimeError(f"{file.path}: preprocessing of {tuple(before.shape)} failed: {error}") from error
    if after.dtype != torch.uint8 or after.ndim != 4 or after.shape[1] != before.shape[1]:
        raise ValueError(
            f"preprocessing made {after.dtype} {tuple(after.shape)} of uint8 {tuple(before.shape)}: expected "
            "uint8 (C, T, H, W) with as many frames; what changes range or time belongs elsewhere"
        )
    return before, after
