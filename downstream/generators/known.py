# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Generators whose use is known beforehand: they prove the study, not themselves."""

from __future__ import annotations

from pathlib import Path

import torch

from monai_feat.data import ClipItem, PhantomDataset, load_clip
from monai_feat.transforms.functional import to_uint8

from ..clips import write_clip
from .request import Request

__all__ = ["SYNTHETIC", "copy_clips", "draw_noise", "render_phantoms"]

SYNTHETIC = {"synthetic": 1}
_FRAME_RATE = 10.0  # Hz; nothing reads it
_STREAM = 0x5EED  # apart from the seeds of clips that stand for real ones


def render_phantoms(request: Request) -> list[ClipItem]:
    """Render fresh procedural clips with exact masks: new patients, as good as real ones."""
    data = request.data
    clips = PhantomDataset(data.modality, request.num_clips, request.seed ^ _STREAM, data.frame_size, data.num_frames)
    items = (clips[i] for i in range(request.num_clips))
    return [_write(request, i, to_uint8(item["image"]), item["label"]) for i, item in enumerate(items)]


def copy_clips(request: Request) -> list[ClipItem]:
    """Return the training clips again, with their masks: nothing new."""
    items = [_nth(request, i) for i in range(request.num_clips)]
    return [
        _write(request, i, load_clip(item.image).as_tensor(), load_clip(_label(item)).as_tensor())
        for i, item in enumerate(items)
    ]


def draw_noise(request: Request) -> list[ClipItem]:
    """Draw noise, under the masks of training clips: nothing that could be of use."""
    random = torch.Generator().manual_seed(request.seed)
    written = []
    for i in range(request.num_clips):
        label = load_clip(_label(_nth(request, i))).as_tensor()
        shape = (request.data.image_channels, *label.shape[1:])
        noise = torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)
        written.append(_write(request, i, noise, label))
    return written


def _nth(request: Request, i: int) -> ClipItem:
    return request.train[i % len(request.train)]


def _label(item: ClipItem) -> Path:
    assert item.label is not None
    return item.label


def _write(request: Request, i: int, image: torch.Tensor, label: torch.Tensor) -> ClipItem:
    stem = request.stem(i)
    return write_clip(ClipItem(stem, flags=SYNTHETIC), image, label, stem, _FRAME_RATE)
