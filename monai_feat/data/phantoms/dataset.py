# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Procedural clips by name, and as an endless supply for training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from monai_feat.data.phantoms.classes import PHANTOM_CLASSES, phantom_class
from monai_feat.data.phantoms.clip import MIN_SIZE, PhantomClip, parse_request
from monai_feat.data.phantoms.endoscopy import endoscopy_phantom
from monai_feat.data.phantoms.ultrasound import ultrasound_phantom
from monai_feat.transforms.functional import to_unit_range

PHANTOMS: dict[str, Callable[..., PhantomClip]] = {"endoscopy": endoscopy_phantom, "ultrasound": ultrasound_phantom}


def get_phantom(kind: str) -> Callable[..., PhantomClip]:
    """Return the generator called ``kind``.

    Raises:
        ValueError: No generator has this name; the message lists those that exist.
    """
    if kind not in PHANTOMS:
        raise ValueError(f"unknown phantom '{kind}'; the known ones are {sorted(PHANTOMS)}")
    return PHANTOMS[kind]


class PhantomDataset(Dataset[dict[str, Any]]):
    """Procedural clips rendered on demand; item ``i`` depends on ``(seed, i)`` only, not on order or workers.

    An item is a dict that :func:`monai.data.list_data_collate` can batch: ``image``, float32 in [-1, 1], shape
    ``(C, T, H, W)``; ``label``, the exact mask, uint8, ``(1, T, H, W)``; ``frame_rate``, Hz; ``attributes``, see
    :meth:`attributes`.

    Args:
        kind: A name in :data:`PHANTOMS`.
        length: Number of clips, at least 0.
        seed: Non-negative seed of the whole set; other seeds give other clips.
        size: ``(H, W)`` in pixels, or one integer for a square.
        num_frames: Frames T of each clip.
        transform: Applied to each item.
        **options: Further arguments of the generator, such as ``frame_rate``.

    Raises:
        ValueError: ``kind`` is unknown, ``length`` is negative, or the generator refuses an argument.
    """

    def __init__(
        self,
        kind: str,
        length: int,
        seed: int = 0,
        size: int | tuple[int, int] = 64,
        num_frames: int = 16,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        **options: float,
    ) -> None:
        if length < 0:
            raise ValueError(f"length must be at least 0, got {length}")
        self.kind, self.phantom = kind, get_phantom(kind)
        self.size = parse_request(seed, size, num_frames, options.get("frame_rate", 1.0))
        self.length, self.seed, self.num_frames = length, seed, num_frames
        self.transform, self.options = transform, options

    def __len__(self) -> int:
        return self.length

    def clip(self, index: int) -> PhantomClip:
        """Render clip ``index`` as the generator returns it; negative indices count from the end.

        Raises:
            IndexError: ``index`` is outside the set.
        """
        return self._render(index, self.size, self.num_frames)

    def attributes(self, index: int) -> dict[str, float]:
        """Return the exact scene parameters of clip ``index`` by name, without rendering it.

        Besides those of the generator, ``class`` is the clip's number in :data:`PHANTOM_CLASSES`.

        Raises:
            IndexError: ``index`` is outside the set.
        """
        return self._attributes(self._render(index, MIN_SIZE, 1))  # they depend on neither size nor length

    def clip_key(self, index: int) -> str | None:
        """Return a hash of all that the pixels of clip ``index`` depend on, without rendering it; see `LatentDataset`.

        That is the arguments, the code of this package, and the versions of the libraries that compute. None with a
        ``transform``, which may change the pixels.
        """
        if self.transform is not None:
            return None
        request = (self.phantom.__name__, self.seed, index, self.size, self.num_frames, sorted(self.options.items()))
        return hashlib.sha256(repr((request, _code_digest())).encode()).hexdigest()

    def __getitem__(self, index: int) -> Any:
        clip = self.clip(index)
        item = {
            "image": to_unit_range(clip.image),
            "label": clip.mask,
            "frame_rate": clip.frame_rate,
            "attributes": self._attributes(clip),
        }
        return item if self.transform is None else self.transform(item)

    def _render(self, index: int, size: int | tuple[int, int], num_frames: int) -> PhantomClip:
        if not -self.length <= index < self.length:
            raise IndexError(f"index {index} is outside a set of {self.length} clips")
        words = np.random.SeedSequence([self.seed, index % self.length]).generate_state(1, np.uint64)
        return self.phantom(int(words[0]), size, num_frames, **self.options)

    def _attributes(self, clip: PhantomClip) -> dict[str, float]:
        number = PHANTOM_CLASSES[self.kind].index(phantom_class(self.kind, clip.attributes))
        return {**clip.attributes, "class": float(number)}


@cache
def _code_digest() -> str:
    digest = hashlib.sha256(repr((np.__version__, torch.__version__)).encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
