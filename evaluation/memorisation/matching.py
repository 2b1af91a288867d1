# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The training clip that is nearest to a clip: over whole clips and over single frames, shifted in time, in all views.

All similarities are correlations, 1 for equal frames.
Legend: N clips, M training clips, T frames, D numbers of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from tqdm import tqdm

from .descriptors import Whitening
from .views import View

__all__ = ["Match", "match_clips"]

BLOCK_NUMBERS = 1 << 24  # similarities held at a time, 64 MiB
OFFSET_SHARE = 4  # whole clips are compared at offsets up to a fourth of their frames


@dataclass(frozen=True)
class Match:
    """The best match of each clip among training clips, in one space.

    Attributes:
        similarity: correlation ``(N,)``, in [-1, 1].
        train: index of the training clip ``(N,)``.
        offset: frame of the training clip minus frame of the clip, where they match ``(N,)``.
        flipped: whether the mirrored clip matches ``(N,)``.
        how: what else was done to the clip where they match, in words, N of them; empty where nothing else is tried.
    """

    similarity: Tensor
    train: Tensor
    offset: Tensor
    flipped: Tensor
    how: tuple[str, ...] = ()

    @property
    def z(self) -> Tensor:
        """Fisher's z of the similarity, artanh r, nearly normal for chance correlations; float64 ``(N,)``."""
        return torch.atanh(self.similarity.double().clamp(-1 + 1e-6, 1 - 1e-6))


def match_clips(
    views: Sequence[View], train_maps: Tensor, progress: bool = False, name: str = "clips"
) -> tuple[Match, Match]:
    """Find the nearest training clip of each clip, over whole clips and over single frames.

    The similarity of two clips at an offset is the mean correlation of the frames that meet, and the best offset of up
    to T / 4 counts; that of two single frames is their correlation, and the best pair of frames counts. In either the
    best view counts.

    Args:
        views: of the same clips, maps ``(N, T, C, h, w)``.
        train_maps: of the training clips, ``(M, T, C, h, w)``.
        progress: show a bar with the time left.
        name: of the clips, for the bar.

    Returns:
        Matches over whole clips, and over single frames.
    """
    whiten = Whitening(train_maps)
    train = whiten(train_maps).transpose(0, 1).flatten(0, 1).T.contiguous()  # (D, T·M)
    count, frames = views[0].maps.shape[:2]
    blocks = torch.arange(count).split(max(1, BLOCK_NUMBERS // (frames * train.shape[1])))
    over_clips, over_frames = [], []
    for rows in tqdm(blocks, desc=f"nearest to {name}", unit="block", disable=not progress):
        found = [_best(_pairwise(whiten(view.maps[rows]), train), view.flipped[rows]) for view in views]
        over_clips.append(reduce(_nearer, [match for match, _ in found]))
        over_frames.append(reduce(_nearer, [match for _, match in found]))
    return _joined(over_clips), _joined(over_frames)


def _pairwise(clips: Tensor, train: Tensor) -> Tensor:
    """Correlations ``(N, T, T, M)`` of all frames of clips ``(N, T, D)`` with all frames of training clips."""
    count, frames, _ = clips.shape
    return (clips.flatten(0, 1) @ train).reshape(count, frames, frames, -1)


def _best(similarity: Tensor, flipped: Tensor) -> tuple[Match, Match]:
    """Best match over whole clips and over single frames, of one view."""
    frames, num_train = similarity.shape[2:]
    reach = frames // OFFSET_SHARE
    means = [similarity.diagonal(offset, 1, 2).mean(-1) for offset in range(-reach, reach + 1)]
    value, place = torch.stack(means, dim=1).flatten(1).max(1)
    over_clips = Match(value, place % num_train, place // num_train - reach, flipped)
    value, place = similarity.flatten(1).max(1)
    pair = place // num_train
    return over_clips, Match(value, place % num_train, pair % frames - pair // frames, flipped)


def _nearer(one: Match, other: Match) -> Match:
    better = other.similarity > one.similarity
    return Match(
        torch.where(better, other.similarity, one.similarity),
        torch.where(better, other.train, one.train),
        torch.where(better, other.offset, one.offset),
        torch.where(better, other.flipped, one.flipped),
    )


def _joined(blocks: list[Match]) -> Match:
    return Match(
        torch.cat([block.similarity for block in blocks]),
        torch.cat([block.train for block in blocks]),
        torch.cat([block.offset for block in blocks]),
        torch.cat([block.flipped for block in blocks]),
    )
