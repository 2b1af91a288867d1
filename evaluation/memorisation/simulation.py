# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often the gate refuses clean clips, and how many planted copies it finds, on phantoms with patients.

The training set and the held-out set hold several recordings of each patient; clean synthetic clips are of patients of
their own, as those of a model that has learnt and not memorised. Counts say how many of how many, by what happened to
the clips and by event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .casts import NUM_PLANTED, Cast
from .descriptors import thumbnails
from .gate import match_sides
from .planting import PLANTS, plant, take_clip
from .scenes import Design, block_cosines
from .verdict import Verdict, judge

__all__ = ["CLEAN", "Counts", "plant_copies", "split_clean"]

CLEAN = "clean"
POOL = 4  # times as many patients as one split needs

Counts = dict[tuple[str, str], tuple[int, int]]
Views = dict[str, Tensor]  # pictures and latents of some clips


def split_clean(design: Design, splits: int, seed: int, progress: bool = True) -> list[Counts]:
    """Split one pool of patients into training, held-out and synthetic ones, time and again, and run the gate.

    Returns:
        For each split, counts of clips with p ≤ α (``clip``) and of gates that fail (``gate``).
    """
    ends = np.cumsum([design.num_train // design.recordings, design.num_held_out // design.recordings, design.num_fake])
    patients = tqdm(range(POOL * int(ends[-1])), f"{design.kind}: patients", unit="patient", disable=not progress)
    pool = [_views(take_clip(design.video(seed, p, r)) for r in range(design.recordings)) for p in patients]
    rng, counts = np.random.default_rng([seed, 1]), []
    for _ in tqdm(range(splits), f"{design.kind}: gates on clean clips", unit="gate", disable=not progress):
        train, held_out, fake, _ = ([pool[p] for p in side] for side in np.split(rng.permutation(len(pool)), ends))
        first = [{name: view[:1] for name, view in views.items()} for views in fake]
        z, z_held_out = _measure({"fake": _joined(first), "train": _joined(train), "held_out": _joined(held_out)})
        patients = [str(i // design.recordings) for i in range(design.num_held_out)]
        counts.append(_count_clean(_judged(z, z_held_out, patients, design.false_positive_rate)))
    return counts


def plant_copies(cast: Cast, seed: int, false_positive_rate: float = 0.05) -> Counts:
    """Plant copies of each kind among clean synthetic clips, and run the gate.

    Returns:
        Counts of clips with p ≤ α (``clip``), clean ones too; of copies that the gate names when they are the only one
        among the synthetic clips (``one``), and when all of the kind are (``many``). The kinds in `RELATIVES` are not
        copies, but other clips of a training patient, to see what the gate makes of them.
    """
    rng = np.random.default_rng([seed, 2])
    planted = {kind: [plant(kind, cast.train[i], host, rng) for i, host in _drawn(cast, rng)] for kind in PLANTS}
    planted |= cast.relatives
    fake = [*cast.clean, *(clip for clips in planted.values() for clip in clips)]
    sides = {"fake": fake, "train": map(take_clip, cast.train), "held_out": cast.held_out}
    z, z_held_out = _measure({side: _views(clips) for side, clips in sides.items()})
    z_clean, *z_planted = z.split([len(cast.clean), *map(len, planted.values())], dim=1)
    judged = partial(_judged, z_held_out=z_held_out, groups=cast.groups, rate=false_positive_rate)
    counts = _count_clean(judged(z_clean))
    for kind, found in zip(planted, z_planted, strict=True):
        counts |= _count_planted(kind, z_clean, found, judged)
    return counts


def _drawn(cast: Cast, rng: np.random.Generator) -> list[tuple[int, Tensor]]:
    """Numbers of training clips, and clean clips to copy parts into."""
    number = len(cast.train)
    chosen: list[int] = rng.choice(number, NUM_PLANTED, replace=number < NUM_PLANTED).tolist()
    return [(i, cast.clean[int(rng.integers(len(cast.clean)))]) for i in chosen]


def _views(clips: Iterable[Tensor]) -> Views:
    kept = list(clips)
    return {"pictures": thumbnails(kept), "latents": block_cosines(kept)}


def _joined(views: list[Views]) -> Views:
    return {name: torch.cat([view[name] for view in views]) for name in views[0]}


def _measure(sides: Mapping[str, Views]) -> tuple[Tensor, Tensor]:
    """Fisher's z of synthetic and of held-out clips in each space, ``(S, N)``."""
    pictures, latents = ({side: views[name] for side, views in sides.items()} for name in ("pictures", "latents"))
    fake, held_out = match_sides(pictures, latents)
    return torch.stack([match.z for match in fake.values()]), torch.stack([match.z for match in held_out.values()])


def _judged(z: Tensor, z_held_out: Tensor, groups: Sequence[str], rate: float) -> Verdict:
    return judge(z, z_held_out, [str(i) for i in range(z.shape[1])], groups, rate)


def _count_clean(verdict: Verdict) -> Counts:
    near = int(verdict.near.sum()), len(verdict.near)
    return {(CLEAN, "clip"): near, (CLEAN, "gate"): (int(not verdict.passed), 1)}


def _count_planted(kind: str, clean: Tensor, z: Tensor, judged: Callable[[Tensor], Verdict]) -> Counts:
    """Put planted clips in the place of clean clips, one and many at a time, and see which are named."""
    number = z.shape[1]
    many = judged(torch.cat([z, clean[:, number:]], dim=1))
    alone = [torch.cat([z[:, i : i + 1], clean[:, 1:]], dim=1) for i in range(number)]
    return {
        (kind, "clip"): (int(many.near[:number].sum()), number),
        (kind, "one"): (sum(int(judged(mixed).copies[0]) for mixed in alone), number),
        (kind, "many"): (int(many.copies[:number].sum()), number),
    }
