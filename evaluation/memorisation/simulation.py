# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How often the gate refuses clean clips, and how many planted copies it finds, on phantoms with patients.

The training set and the held-out set hold several recordings of each patient; clean synthetic clips are of patients of
their own, as those of a model that has learnt and not memorised. Counts say how many of how many, by what happened to
the clips and by event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .descriptors import thumbnails
from .gate import match_sides
from .planting import MARGIN, PLANTS, plant, take_clip
from .scenes import Design, block_cosines
from .verdict import Verdict, judge

__all__ = ["CLEAN", "NUM_PLANTED", "RELATIVES", "Counts", "plant_copies", "split_clean"]

CLEAN = "clean"
RELATIVES = ("next clip of the same video", "another recording of the patient")
NUM_PLANTED = 16  # copies of each kind, each of another training clip
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
        counts.append(_count_clean(_judged(z, z_held_out, design)))
    return counts


def plant_copies(design: Design, seed: int) -> Counts:
    """Plant copies of each kind among clean synthetic clips, all of new patients, and run the gate.

    Returns:
        Counts of clips with p ≤ α (``clip``); of copies that the gate names when they are the only one among the
        synthetic clips (``one``), and when sixteen are (``many``). The kinds in `RELATIVES` are not copies, but other
        clips of a training patient, to see what the gate makes of them.
    """
    held_out_from, fake_from = design.num_train, design.num_train + design.num_held_out
    videos = [design.video(seed, i // design.recordings, i % design.recordings) for i in range(design.num_train)]
    held_out = (
        design.video(seed, held_out_from + i // design.recordings, i % design.recordings)
        for i in range(design.num_held_out)
    )
    clean = (design.video(seed, fake_from + i) for i in range(design.num_fake))
    planted = _planted(design, videos, seed)
    fake = [*map(take_clip, clean), *(clip for clips in planted.values() for clip in clips)]
    sides = {
        "fake": _views(fake),
        "train": _views(map(take_clip, videos)),
        "held_out": _views(map(take_clip, held_out)),
    }
    z, z_held_out = _measure(sides)
    z_clean, *z_planted = z.split([design.num_fake, *map(len, planted.values())], dim=1)
    return _count_planted(z_clean, dict(zip(planted, z_planted, strict=True)), z_held_out, design)


def _planted(design: Design, videos: list[Tensor], seed: int) -> dict[str, list[Tensor]]:
    """Clips of each kind of copy, and of `RELATIVES`, of training clips drawn anew for each kind."""
    rng = np.random.default_rng([seed, 2])

    def drawn() -> list[int]:
        chosen: list[int] = rng.choice(len(videos), NUM_PLANTED, replace=False).tolist()
        return chosen

    def next_clip(index: int) -> Tensor:
        patient, recording = divmod(index, design.recordings)
        return design.video(seed, patient, recording, MARGIN + 2 * design.num_frames)[:, -design.num_frames :]

    planted = {kind: [plant(kind, videos[i], rng) for i in drawn()] for kind in PLANTS}
    planted[RELATIVES[0]] = [next_clip(i) for i in drawn()]
    another = design.recordings  # the first that is not in the training set
    planted[RELATIVES[1]] = [take_clip(design.video(seed, i // design.recordings, another)) for i in drawn()]
    return planted


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


def _judged(z: Tensor, z_held_out: Tensor, design: Design) -> Verdict:
    own = [str(i) for i in range(z.shape[1])]
    patients = [str(i // design.recordings) for i in range(z_held_out.shape[1])]
    return judge(z, z_held_out, own, patients, design.false_positive_rate)


def _count_clean(verdict: Verdict) -> Counts:
    near = int(verdict.near.sum()), len(verdict.near)
    return {(CLEAN, "clip"): near, (CLEAN, "gate"): (int(not verdict.passed), 1)}


def _count_planted(clean: Tensor, planted: Mapping[str, Tensor], z_held_out: Tensor, design: Design) -> Counts:
    """Put planted clips in the place of clean clips, one and many at a time, and see which are named."""
    counts: Counts = {}
    for kind, z in planted.items():
        number = z.shape[1]
        many = _judged(torch.cat([z, clean[:, number:]], dim=1), z_held_out, design)
        alone = [torch.cat([z[:, i : i + 1], clean[:, 1:]], dim=1) for i in range(number)]
        named = sum(int(_judged(mixed, z_held_out, design).copies[0]) for mixed in alone)
        counts[kind, "clip"] = (int(many.near[:number].sum()), number)
        counts[kind, "one"] = (named, number)
        counts[kind, "many"] = (int(many.copies[:number].sum()), number)
    return counts
