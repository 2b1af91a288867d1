# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips as the moments of their latents, each encoded once."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from monai.utils import convert_to_tensor
from torch import Tensor, nn
from torch.utils.data import Dataset
from tqdm import tqdm

from monai_feat.data.latent_cache import LatentCache, clip_digest

__all__ = ["ClipIndexDataset", "LatentDataset", "open_latents"]


class LatentDataset(Dataset[dict[str, Tensor]]):
    """Encode each clip of a data set once, and hand out the moments of its latents.

    The moments, mean and log-variance, are kept rather than a sample, so that training can draw new latents at every
    step. They are kept in memory, and each clip is encoded when it is first asked for: the first epoch pays for it.
    Load in the main process (``num_workers=0``), for worker processes would each encode for themselves.

    With a ``cache_dir`` they are kept on disk, for all later runs too. All clips are looked at on construction, in any
    order, and those that this autoencoder has not encoded before are; several processes that do so share the work. A
    clip is known by its pixels, or, without being read, by what the data set's ``clip_key(index)`` says, where it has
    such a method and that is not None. Clips must be the same whenever they are asked for: no random transforms here.

    What a network is conditioned on can be handed out beside the moments. It is taken from the data set's items, or,
    without reading a clip, from its ``attributes(index)``, where it has such a method; and is then kept in memory.

    Args:
        dataset: items with a clip under ``image``, ``(C, T, H, W)`` in [-1, 1].
        autoencoder: a network with ``encode_moments``, such as `FrameAutoencoder`; its device is used. A cache on disk
            goes by its weights and settings at this moment.
        cache_dir: folder of a `LatentCache`; None keeps all in memory.
        progress: show a progress bar, with the time left, while a cache on disk is filled.
        keep: names of what else to hand out: numbers among an item's ``attributes``, or entries of the item itself,
            such as ``label``.

    Raises:
        LatentCacheError: when the cache cannot be written.

    Example:
        >>> from monai_feat.data import PhantomDataset
        >>> class Halve(nn.Module):
        ...     def encode_moments(self, x):
        ...         return x[..., ::2, ::2], torch.zeros_like(x[..., ::2, ::2])
        >>> item = LatentDataset(PhantomDataset("ultrasound", length=1, size=32, num_frames=2), Halve())[0]
        >>> sorted(item), tuple(item["latent_mean"].shape)
        (['latent_log_variance', 'latent_mean'], (1, 2, 16, 16))
    """

    def __init__(
        self,
        dataset: Dataset[dict[str, Any]],
        autoencoder: nn.Module,
        cache_dir: str | os.PathLike[str] | None = None,
        progress: bool = True,
        keep: Sequence[str] = (),
    ) -> None:
        self.dataset = dataset
        self.autoencoder = autoencoder
        self.keep = tuple(keep)
        self._kept: dict[int, dict[str, Tensor]] = {}
        self._items: dict[int, tuple[Tensor, Tensor]] = {}
        self._cache = None if cache_dir is None else LatentCache(cache_dir, autoencoder)
        self._keys = [] if self._cache is None else self._fill(self._cache, progress)

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        mean, log_variance = self._from_memory(index) if self._cache is None else self._cache[self._keys[index]]
        return {"latent_mean": mean, "latent_log_variance": log_variance, **self._values(index)}

    def _from_memory(self, index: int) -> tuple[Tensor, Tensor]:
        if index not in self._items:
            self._items[index] = self._encode(self._read(index))
        return self._items[index]

    def _read(self, index: int) -> Tensor:
        """Read a clip, and what is kept beside it."""
        item = self.dataset[index]
        self._kept[index] = _take(self.keep, item)
        clip: Tensor = item["image"]
        return clip

    def _values(self, index: int) -> dict[str, Tensor]:
        if index not in self._kept:
            known = self.dataset.attributes(index) if self.keep and hasattr(self.dataset, "attributes") else {}
            if known.keys() >= set(self.keep):
                self._kept[index] = _take(self.keep, known)
            else:
                self._read(index)
        return self._kept[index]

    def _fill(self, cache: LatentCache, progress: bool) -> list[str]:
        """Encode what is missing in the cache, and return the clips' keys in it."""
        keys = [""] * len(self)
        # Every process starts somewhere else, and after each shard skips what the others have done.
        start = random.SystemRandom().randrange(max(1, len(self)))
        every = 0.1 if sys.stderr.isatty() else 10.0
        bar = tqdm(desc="latents", total=len(self), unit="clip", mininterval=every, disable=not progress)
        try:
            for index in (*range(start, len(self)), *range(start)):
                keys[index] = self._ensure(cache, index)
                bar.update()
        finally:
            bar.close()
            cache.flush()
        return keys

    def _ensure(self, cache: LatentCache, index: int) -> str:
        key: str | None = self.dataset.clip_key(index) if hasattr(self.dataset, "clip_key") else None
        if key is None or key not in cache:
            clip = self._read(index)
            key = key or clip_digest(clip)
            if key not in cache:
                cache.add(key, *self._encode(clip))
        return key

    @torch.no_grad()
    def _encode(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        clip = convert_to_tensor(clip, track_meta=False)  # pixel spacing and the like are not those of latents
        device = next(self.autoencoder.parameters(), clip).device
        encode_moments: Callable[[Tensor], tuple[Tensor, Tensor]] = self.autoencoder.encode_moments  # type: ignore[assignment]
        mean, log_variance = encode_moments(clip[None].to(device))
        return mean[0].cpu(), log_variance[0].cpu()


def _take(names: Sequence[str], item: Mapping[str, Any]) -> dict[str, Tensor]:
    """Take values by name from an item or its attributes."""
    known = {**item, **item.get("attributes", {})}
    if missing := [name for name in names if name not in known]:
        there = sorted(known.keys() - {"attributes"})
        raise ValueError(f"clips have no {', '.join(missing)}; they have {', '.join(there)}")
    return {name: convert_to_tensor(known[name], track_meta=False) for name in names}


def open_latents(
    data: Sequence[Mapping[str, Any]],
    clips: Callable[[Sequence[Mapping[str, Any]]], Dataset[dict[str, Any]]],
    autoencoder: nn.Module,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: bool = True,
    keep: Sequence[str] = (),
) -> LatentDataset:
    """Open clips, and hand out the moments of their latents: a `LatentDataset` of a list of files.

    Args:
        data: what is opened; MONAI's programs look for it, and replace it, under this name.
        clips: how it is opened, such as `open_clips` with all other arguments.
        autoencoder: a network with ``encode_moments``.
        cache_dir: folder of a `LatentCache`; None keeps all in memory.
        progress: show a progress bar while a cache on disk is filled.
        keep: names of what else to hand out; see `LatentDataset`.
    """
    return LatentDataset(clips(data), autoencoder, cache_dir, progress, keep)


class ClipIndexDataset(Dataset[dict[str, Tensor]]):
    """The indices of clips that are to be sampled; what stands in for data when nothing is read.

    Args:
        num_clips: how many clips.
        first: index of the first one. A clip depends on the seed and its index, so the next clips of a series start
            where it ended.
        without: indices that are left out, such as those of clips that are there already.
        share: ``(p, P)``: only the clips whose index leaves the remainder p when divided by P, the share of one of P
            processes.

    Raises:
        ValueError: when a number is negative, or there is no such share.

    Example:
        >>> ClipIndexDataset(3, first=10, without={11})[1]
        {'image': tensor(12)}
    """

    def __init__(
        self, num_clips: int, first: int = 0, without: Collection[int] = (), share: tuple[int, int] = (0, 1)
    ) -> None:
        if num_clips < 0 or first < 0:
            raise ValueError(f"num_clips and first must not be negative, got {num_clips} and {first}")
        part, parts = share
        if not 0 <= part < parts:
            raise ValueError(f"expected a share (p, P) with 0 <= p < P, got {share}")
        wanted = range(first, first + num_clips)
        self.indices = [index for index in wanted if index % parts == part and index not in without]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} is outside 0 … {len(self) - 1}")
        return {"image": torch.tensor(self.indices[index])}
