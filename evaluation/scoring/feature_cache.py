# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Features of clips, computed once: streamed in batches, kept on disk by content, shared between processes.

Features lie in a `TensorCache` for each network, in a folder named by the hash of the network's identity, under the
hash of the prepared pixels. So a run that was killed goes on where it was, a clip that two sides share is computed
once, and every process of ``torchrun`` computes its share and finds that of the others.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed
from tqdm import tqdm

from monai_feat.data import VideoReadError, clip_digest
from monai_feat.data.tensor_cache import TensorCache
from monai_feat.files import first_few
from monai_feat.metrics.features import FeatureNetwork, check_features

from ..reading.clips import ClipSet

__all__ = ["Features", "Sample", "extract_features", "identity_digest"]

LAYOUT = "monai-feat features 1"  # hashed with the identity: another layout would never meet files of this one


@dataclass(frozen=True)
class Sample:
    """Features of one side in one space.

    Attributes:
        features: ``(N, D)``, float64; of networks that take single frames a row for each, as the network gave them.
        groups: patient or sequence of each row.
    """

    features: Tensor
    groups: Sequence[str]

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Features:
    """Features of the clips of one side.

    Attributes:
        samples: by name of the network.
        digests: of the pixels of each clip.
        bad: number and error of each clip that could not be read and was left out.
    """

    samples: dict[str, Sample]
    digests: list[str] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)


def extract_features(
    clips: ClipSet,
    networks: Sequence[FeatureNetwork],
    folder: Path,
    label: str = "clips",
    batch_size: int = 8,
    skip_bad: bool = False,
    progress: bool = True,
) -> Features:
    """Compute what the cache does not hold, and return the features of all clips.

    Every clip is decoded once for all networks; no more than one batch for each network is held. In a process group
    every process computes its share of the clips and returns all of them.

    Args:
        clips: of one side.
        networks: each takes clips, or frames, and computes where its weights are.
        folder: of all caches; the same one for all processes.
        label: of the progress bar.
        batch_size: clips that pass through a network at once.
        skip_bad: leave out clips that cannot be read, rather than stop.
        progress: show a bar with the time left.

    Raises:
        VideoReadError: a clip cannot be read.
        ValueError: a network takes another number of frames, or returns no finite vector for each clip.
        TensorCacheError: the cache cannot be written.
    """
    workers = [_Worker(network, folder, batch_size) for network in networks]
    share = _Share()
    try:
        share.compute(clips, workers, label, skip_bad, progress)
    except Exception as error:  # the other processes wait for this one's share and must hear of it
        share.failure = error
    finally:
        for worker in workers:
            worker.cache.flush()
    merged = _merge(share)
    good = sorted(merged.digests)
    digests, groups = [merged.digests[index] for index in good], [clips.groups[index] for index in good]
    samples = {worker.network.name: worker.collect(digests, groups) for worker in workers}
    return Features(samples, digests, merged.bad)


def identity_digest(network: FeatureNetwork) -> str:
    """SHA-256 of what a network says about itself.

    Raises:
        ValueError: its identity holds NaN, or what JSON cannot hold.
    """
    text = json.dumps([LAYOUT, network.name, network.identity], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class _Share:
    """What one process found out about its share of the clips."""

    digests: dict[int, str] = field(default_factory=dict)
    bad: dict[int, str] = field(default_factory=dict)
    failure: Exception | None = None

    def compute(self, clips: ClipSet, workers: Sequence[_Worker], label: str, skip_bad: bool, progress: bool) -> None:
        rank, processes = _place()
        numbers = range(rank, len(clips), processes)
        every = 0.1 if sys.stderr.isatty() else 10.0
        bar = tqdm(numbers, desc=label, unit="clip", mininterval=every, disable=not progress or rank > 0)
        for index in bar:
            try:
                clip = clips[index]
            except VideoReadError as error:
                if not skip_bad:
                    raise
                self.bad[index] = str(error)
                continue
            self.digests[index] = clip_digest(clip)
            for worker in workers:
                worker.offer(self.digests[index], clip, clips.names[index])
        for worker in workers:
            worker.compute()


class _Worker:
    """One network with its cache and the clips that wait for it."""

    def __init__(self, network: FeatureNetwork, folder: Path, batch_size: int) -> None:
        self.network, self._batch_size = network, batch_size
        self._device = next(network.parameters(), torch.empty(0)).device
        self.cache = TensorCache(folder / identity_digest(network)[:32])
        self._waiting: dict[str, tuple[Tensor, str]] = {}

    def offer(self, digest: str, clip: Tensor, name: str) -> None:
        wanted = self.network.num_frames
        if wanted is not None and clip.shape[1] != wanted:
            raise ValueError(
                f"feature network {self.network.name} takes clips of {wanted} frames, these have {clip.shape[1]}: "
                f"use --num-frames {wanted}"
            )
        if digest not in self.cache and digest not in self._waiting:
            self._waiting[digest] = (clip, name)
        if len(self._waiting) >= self._batch_size:
            self.compute()

    @torch.no_grad()
    def compute(self) -> None:
        if not self._waiting:
            return
        clips = [clip for clip, _ in self._waiting.values()]
        is_framewise = self.network.takes == "frames"
        pixels = torch.cat([clip.transpose(0, 1) for clip in clips]) if is_framewise else torch.stack(clips)
        counts = [clip.shape[1] if is_framewise else 1 for clip in clips]
        features = self._checked(self.network(pixels.to(self._device)), counts)
        for digest, rows in zip(self._waiting, features.split(counts), strict=True):
            self.cache.put(digest, rows)  # (1, D) of a clip, or (T, D) of its frames
        self._waiting = {}

    def _checked(self, features: Tensor, counts: Sequence[int]) -> Tensor:
        try:
            return check_features(features, sum(counts), self.network.name)
        except ValueError as error:
            names = [name for _, name in self._waiting.values()]
            if features.ndim == 2 and len(features) == sum(counts):
                finite = [bool(torch.isfinite(rows).all()) for rows in features.split(list(counts))]
                names = [name for name, is_finite in zip(names, finite, strict=True) if not is_finite]
            raise ValueError(f"{error}; clips: {first_few(names)}") from None

    def collect(self, digests: Sequence[str], groups: Sequence[str]) -> Sample:
        self.cache.refresh()
        rows = [self.cache.get(digest) for digest in digests]
        features = torch.cat(rows) if rows else torch.empty(0, self.network.num_features)
        if self.network.takes == "clips":
            return Sample(features.double(), groups)
        return Sample(features, [group for group, own in zip(groups, rows, strict=True) for _ in own])


def _place() -> tuple[int, int]:
    """Rank of this process, and number of processes."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def _merge(share: _Share) -> _Share:
    """What all processes found; raises the first failure in all of them."""
    shares: list[Any] = [share]
    if distributed.is_initialized():
        shares = [None] * distributed.get_world_size()
        distributed.all_gather_object(shares, share)
    for each in shares:
        if each.failure is not None:
            raise each.failure
    merged = _Share()
    for each in shares:
        merged.digests.update(each.digests)
        merged.bad.update(each.bad)
    return merged
