# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Real clips beside what an autoencoder makes of them, which is the best that can be sampled through it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from monai_feat.data.image_writers import png_comment
from monai_feat.files import replacing
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.functional import to_uint8
from monai_feat.transforms.labels import split_labels
from monai_feat.visualize import contact_sheet

__all__ = ["draw_sheet", "first_clips", "reconstruct", "save_reconstruction_sheet"]


@torch.no_grad()
def reconstruct(autoencoder: FrameAutoencoder, clips: Tensor) -> Tensor:
    """Encode and decode clips ``(B, C, T, H, W)`` in [-1, 1], one by one, wherever the autoencoder is."""
    device = next(autoencoder.parameters()).device
    return torch.cat([autoencoder.decode(autoencoder.encode(clip[None].to(device))).float().cpu() for clip in clips])


def first_clips(dataset: Dataset[dict[str, Any]], number: int) -> Tensor:
    """Stack the first clips of a data set, no more than it has: ``(B, C, T, H, W)``."""
    return torch.stack([dataset[i]["image"] for i in range(min(number, len(dataset)))])  # type: ignore[arg-type]


def draw_sheet(
    rows: dict[str, Tensor],
    file: str | os.PathLike[str],
    label_channels: int = 0,
    tile: int = 128,
    comment: str = "",
    masks: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Draw groups of clips below each other into a PNG file, masks as outlines; return its pixels.

    Args:
        rows: clips ``(B, C, T, H, W)`` in [-1, 1] by title.
        file: is written whole or not at all; its folder is made.
        label_channels: how many of the last channels are the classes of masks.
        tile: width of a frame in pixels.
        comment: text that the file keeps among its metadata; empty for none.
        masks: of clips that hold none, ``(B, 1, T, H, W)`` by title.
    """
    parts = {title: split_labels(clips, label_channels) for title, clips in rows.items()}
    images = {title: to_uint8(image) for title, (image, _) in parts.items()}
    outlined = {**(masks or {}), **{title: mask for title, (_, mask) in parts.items() if mask is not None}}
    sheet = contact_sheet(images, tile=tile, masks=outlined)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with replacing(Path(file)) as temporary:
        Image.fromarray(sheet.numpy()).save(temporary, format="PNG", pnginfo=png_comment(comment))
    return sheet


def save_reconstruction_sheet(
    autoencoder: FrameAutoencoder,
    dataset: Dataset[dict[str, Any]],
    file: str | os.PathLike[str],
    real_title: str = "real",
    label_channels: int = 0,
    num_rows: int = 4,
) -> None:
    """Write a sheet of clips of a data set and their reconstructions, in the first process.

    Args:
        autoencoder: in evaluation mode, with the scale of its latents.
        dataset: of clips.
        file: the PNG file.
        real_title: what to call the clips.
        label_channels: as for `draw_sheet`.
        num_rows: how many clips.
    """
    if idist.get_rank() > 0:
        return
    clips = first_clips(dataset, num_rows)
    draw_sheet({real_title: clips, "reconstructed": reconstruct(autoencoder, clips)}, file, label_channels)
