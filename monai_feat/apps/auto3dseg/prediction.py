# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Masks of whole clips, at the clips' own size."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from torch import Tensor
from tqdm import tqdm

from monai_feat.apps.auto3dseg.settings import SegmentationSettings, load_segmenter
from monai_feat.data import open_clip
from monai_feat.data.readers.load import clip_meta
from monai_feat.networks.nets import ClipSegmenter
from monai_feat.transforms import square_frames, to_unit_range, unsquare_classes, unsquare_scores

__all__ = ["predict_masks", "predict_probabilities"]


def predict_masks(
    path: str | os.PathLike[str],
    items: Sequence[Mapping[str, Any]],
    device: str | torch.device | None = None,
    progress: bool = False,
) -> Iterator[tuple[Mapping[str, Any], Tensor]]:
    """Segment clips with the weights that `train_segmenter` has saved.

    Args:
        path: the weights.
        items: dicts with the path ``image`` of a clip of any format; other keys are ignored.
        device: where to predict; None takes a GPU where there is one.
        progress: show a bar.

    Yields:
        Each item with its mask: classes, uint8 ``(1, T, H, W)``, of the clip's own size and length.

    Raises:
        CheckpointError: the weights cannot be read.
        VideoReadError: a clip cannot be read.
    """
    network, settings = load_segmenter(path)
    network.to(device or default_device())
    for item in tqdm(items, desc="segmenting clips", unit="clip", disable=not progress):
        probabilities, size = _probabilities(network, settings, item["image"])
        yield item, unsquare_classes(probabilities, size)


def predict_probabilities(
    network: ClipSegmenter, settings: SegmentationSettings, image: str | os.PathLike[str]
) -> MetaTensor:
    """Probabilities of the classes of one clip, ``(K, T, H, W)`` at its own size, with its metadata.

    Raises:
        VideoReadError: the clip cannot be read.
    """
    probabilities, size = _probabilities(network, settings, image)
    whole = unsquare_scores(probabilities, size)
    return MetaTensor(whole, meta=clip_meta(open_clip(image), tuple(whole.shape)))


def default_device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@torch.no_grad()
def _probabilities(
    network: ClipSegmenter, settings: SegmentationSettings, image: str | os.PathLike[str]
) -> tuple[Tensor, tuple[int, int]]:
    """Probabilities at the size of the network, ``(K, T, S, S)``, and the clip's rows and columns."""
    file = open_clip(image)
    frames = (
        square_frames(frame, settings.frame_size, settings.image_channels)
        for frame in file.iter_frames(range(file.frames))
    )
    clip = to_unit_range(torch.stack(list(frames), dim=1))  # (C, T, S, S)
    device = next(network.parameters()).device
    logits = settings.make_inferer()(clip[None].to(device), network.eval())
    return logits[0].softmax(dim=0).cpu(), file.size
