# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The gate: measures synthetic clips and held-out clips against training clips, and judges the former by the latter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from tqdm import tqdm

from monai_feat.files import first_few

from ..results import Copy, GateResult, NearestPair
from .calibration import groups_needed
from .checks import SIDES, TITLES, check_gate_input, checked_clips
from .descriptors import COARSE_SIZE, latent_maps, pixel_maps, thumbnails
from .matching import Match, match_clips
from .parts import match_parts
from .verdict import Verdict, judge, replay
from .views import latent_views, pixel_views

__all__ = ["match_sides", "run_gate"]

NUM_NEAREST = 12


def run_gate(
    fake: Sequence[Tensor],
    train: Sequence[Tensor],
    held_out: Sequence[Tensor],
    names: Sequence[Sequence[str]],
    groups: Sequence[Sequence[str]],
    latents: Mapping[str, Tensor] | None = None,
    false_positive_rate: float = 0.05,
    seed: int = 0,
    progress: bool = True,
) -> GateResult:
    """Look for training clips among synthetic ones; docs/memorisation.md explains the method and states its rates.

    Args:
        fake: synthetic clips, uint8 ``(C, T, H, W)``; clips of all sides have one shape.
        train: the clips that the model was trained on.
        held_out: clips of patients that it was not trained on, prepared alike.
        names: of the clips of these three sides, in this order.
        groups: of the three sides likewise: patient of each real clip, recording of each synthetic clip; no patient is
            both in training and held out.
        latents: ``(N, C, T, h, w)`` under ``fake``, ``train`` and ``held_out``; None looks at pixels only.
        false_positive_rate: of one clip over all spaces, and of the gate as a whole.
        seed: of the splits of held-out patients by which false-positive rates are simulated.
        progress: show bars with the time left.

    Returns:
        The verdict; it is passed only where the gate could be calibrated and found no copy.

    Raises:
        TypeError: clips are not uint8.
        ValueError: a side is empty, shows nothing or is unlike the others, names or groups do not fit, or a patient is
            both in training and held out.

    Example:
        >>> from monai_feat.data import PhantomDataset
        >>> seen, other = (PhantomDataset("ultrasound", 20, seed, size=32, num_frames=4) for seed in (0, 1))
        >>> train, held_out = ([clips.clip(i).image for i in range(20)] for clips in (seen, other))
        >>> names = [["fake"], *([f"{side} {i}" for i in range(20)] for side in ("train", "held-out"))]
        >>> result = run_gate([train[7].flip(-1)], train, held_out, names, groups=names, progress=False)
        >>> result.passed, result.copies[0].pair.train, result.copies[0].pair.flipped
        (False, 'train 7', True)
    """
    sides = dict(zip(SIDES, (fake, train, held_out), strict=True))
    check_gate_input(sides, names, groups, latents, false_positive_rate)
    found, found_held_out = match_sides(_thumbnails(sides, names, progress), latents, progress)
    z, z_held_out = (torch.stack([match.z for match in side.values()]) for side in (found, found_held_out))
    verdict = judge(z, z_held_out, groups[0], groups[2], false_positive_rate)
    order = verdict.scores.argsort(descending=True).tolist()
    pairs = [_pair(i, z, found, verdict, names, sides if rank < NUM_NEAREST else None) for rank, i in enumerate(order)]
    limits = dict(zip(found, verdict.null.distances(verdict.limit).tolist(), strict=True))
    rates = replay(z_held_out, groups[2], false_positive_rate, seed) or (None, None)
    return GateResult(
        passed=verdict.passed,
        copies=tuple(Copy(pair, limits[pair.space]) for pair in pairs[: int(verdict.copies.sum())]),
        nearest=tuple(pairs[:NUM_NEAREST]),
        thresholds=limits,
        false_positive_rate=false_positive_rate,
        simulated_false_positive_rate=rates[0],
        num_fake=len(fake),
        num_train=len(train),
        num_held_out=len(held_out),
        note=_note(verdict, names[2], false_positive_rate),
        simulated_gate_rate=rates[1],
        num_near=verdict.num_near,
        max_near=verdict.max_near,
        num_held_out_groups=verdict.null.num_groups,
    )


def match_sides(
    pictures: Mapping[str, Tensor], latents: Mapping[str, Tensor] | None = None, progress: bool = False
) -> tuple[dict[str, Match], dict[str, Match]]:
    """Match synthetic and held-out clips with training clips in each space.

    Args:
        pictures: as `thumbnails` returns them, of each side.
        latents: of each side, ``(N, C, T, h, w)``; None for none.
        progress: show bars with the time left.

    Returns:
        Matches by space, of synthetic clips and of held-out clips.

    Raises:
        ValueError: training clips show nothing.
    """
    found: tuple[dict[str, Match], dict[str, Match]] = ({}, {})
    train = pixel_maps(pictures["train"])
    if not train.any():
        raise ValueError("all frames of the training clips are of one colour, expected pictures: look at these clips")
    for side, matches in zip(("fake", "held_out"), found, strict=True):
        name = f"{TITLES[side]} clips"
        over = match_clips(pixel_views(pictures[side], train), train, progress, name)
        matches.update(zip(("clips", "frames"), over, strict=True))
        coarse = pixel_maps(pictures["train"], COARSE_SIZE)
        views = latent_views(pixel_maps(pictures[side], COARSE_SIZE))
        matches["coarse clips"] = match_clips(views, coarse, progress, f"{name}, coarsely")[0]
        matches["parts"] = match_parts(pictures[side], pictures["train"], progress, name)
        if latents is not None:
            views, known = latent_views(latent_maps(latents[side])), latent_maps(latents["train"])
            over = match_clips(views, known, progress, f"{name}, latents")
            matches.update(zip(("latent clips", "latent frames"), over, strict=True))
    return found


def _thumbnails(
    sides: Mapping[str, Sequence[Tensor]], names: Sequence[Sequence[str]], progress: bool
) -> dict[str, Tensor]:
    """Return the thumbnails of all sides; each clip is asked for once and not kept."""
    pictures, shape = {}, sides["train"][0].shape
    for (side, clips), given in zip(sides.items(), names, strict=True):
        checked = checked_clips(side, clips, shape, given)
        bar = tqdm(checked, f"{TITLES[side]} clips", len(clips), unit="clip", disable=not progress)
        pictures[side] = thumbnails(bar)
    return pictures


def _pair(
    index: int,
    z: Tensor,
    found: Mapping[str, Match],
    verdict: Verdict,
    names: Sequence[Sequence[str]],
    sides: Mapping[str, Sequence[Tensor]] | None,
) -> NearestPair:
    """Return a clip's nearest pair in the space where it is most suspicious, with pixels if there are sides."""
    spaces = list(found)
    space = spaces[int(verdict.null.standardised(z[:, index : index + 1]).argmax())]
    match = found[space]
    train = int(match.train[index])
    return NearestPair(
        fake=names[0][index],
        train=names[1][train],
        space=space,
        distance=float(1 - match.similarity[index]),
        p_value=float(verdict.p_values[index]),
        offset=int(match.offset[index]),
        flipped=bool(match.flipped[index]),
        how=match.how[index] if match.how else "",
        fake_clip=None if sides is None else sides["fake"][index],
        train_clip=None if sides is None else sides["train"][train],
    )


def _note(verdict: Verdict, held_out: Sequence[str], rate: float) -> str:
    """Say why the verdict is as it is, where that is not plain from the copies."""
    notes = []
    needed, groups = groups_needed(rate), verdict.null.num_groups
    if not verdict.calibrated:
        notes.append(
            f"Not calibrated: {groups} held-out patients cannot tell a false-positive rate of {rate:.0%}; "
            f"at least {needed} are needed."
        )
    if leaks := [held_out[i] for i in verdict.leaks.nonzero()[:, 0].tolist()]:
        notes.append(
            f"Not calibrated: {len(leaks)} held-out clips are as near to training clips as copies "
            f"({first_few(leaks, shown=3)}); look whether the same patient, or the same recording, is on both sides."
        )
    if verdict.too_many_near:
        notes.append(
            f"{verdict.num_near:.0f} synthetic recordings are nearer to training clips than {1 - rate:.0%} of held-out "
            f"patients are; by chance, at most {verdict.max_near} would be. All are listed; chance put "
            "some of them there."
        )
    return " ".join(notes)
