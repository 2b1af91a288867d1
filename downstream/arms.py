# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The arms of a study: what each of them trains on.

An arm is one entry of `ARMS`. To add one, write a function that picks its training clips from `Ingredients`. Give it a
line there, or hand it to `register_arm` in a module that the study file imports (docs/extending.md). Everything else,
training and scoring, is the same for all arms.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # reading an arm takes no torch
    from monai_feat.data import ClipItem

__all__ = ["ARMS", "REFERENCE", "Arm", "ArmError", "Ingredients", "get_arm", "register_arm"]

REFERENCE = "real"
RATIOS = (0.5, 1, 2, 4)
Need = Literal["synthetic", "reconstructed", "copies", "extra", "unlabelled"]


class ArmError(ValueError):
    """An arm that does not exist, or that has nothing to train on."""


@dataclass(frozen=True)
class Ingredients:
    """What arms choose from, in one fold and for one fraction of the real data.

    Attributes:
        real: clips of the training patients.
        extra: real clips that the fraction leaves out.
        unlabelled: real clips of the training folds whose masks must not be used.
        synthetic: sampled clips.
        reconstructed: the real clips through the generator's autoencoder.
        copies: for each synthetic clip, the training clip that is most like it.
        pseudo_labelled: synthetic clips with the masks that a segmenter, trained on `real`, gives them.
    """

    real: Sequence[ClipItem]
    extra: Sequence[ClipItem] = ()
    unlabelled: Sequence[ClipItem] = ()
    synthetic: Sequence[ClipItem] = ()
    reconstructed: Sequence[ClipItem] = ()
    copies: Sequence[ClipItem] = ()
    pseudo_labelled: Sequence[ClipItem] = ()


@dataclass(frozen=True)
class Arm:
    """One arm.

    Attributes:
        name: as study files and reports write it.
        reason: what it trains on, and why a study has it.
        labelled: picks the clips that it trains on, with masks.
        unlabelled: picks clips whose images alone it learns from, beside them.
        needs: what must be there.
        ratio: synthetic clips that it takes for each real one.
        augmentation: as `SegmentationSettings` has it.
        steps: how many times the optimiser steps of the study; 1 for all arms but those that test just that.
        is_pseudo_labelled: whether a segmenter of the reference arm has to give masks first.
        kind: ``synthetic`` where it bears on the question, ``control`` where it bears on the answer's reasons,
            ``bound`` where it shows what more real clips bring.
        dose: `ratio`, of arms that differ in nothing else and so make a curve.
        caveat: what a reader of an answer about it must know; empty for nothing.
    """

    name: str
    reason: str
    labelled: Callable[[Ingredients], Sequence[ClipItem]]
    unlabelled: Callable[[Ingredients], Sequence[ClipItem]] | None = None
    needs: frozenset[Need] = field(default_factory=frozenset)
    ratio: float = 0
    augmentation: Literal["standard", "strong"] = "standard"
    steps: float = 1
    is_pseudo_labelled: bool = False
    kind: Literal["reference", "synthetic", "control", "bound"] = "control"
    dose: float | None = None
    caveat: str = ""

    @property
    def uses_generator(self) -> bool:
        """Whether a generator has to have run."""
        return bool(self.needs & {"synthetic", "reconstructed"})

    def pick(self, ingredients: Ingredients) -> tuple[list[ClipItem], list[ClipItem]]:
        """Pick labelled and unlabelled clips.

        Raises:
            ArmError: there are fewer than the arm needs.
        """
        labelled = list(self.labelled(ingredients))
        unlabelled = [] if self.unlabelled is None else list(self.unlabelled(ingredients))
        if not labelled or (self.unlabelled is not None and not unlabelled):
            raise ArmError(f"arm {self.name!r} has no {'unlabelled ' if labelled else ''}clips to train on")
        return labelled, unlabelled


def get_arm(name: str) -> Arm:
    """Return an arm by its name.

    Raises:
        ArmError: there is no such arm; names the closest and lists all.
    """
    if name not in ARMS:
        close = difflib.get_close_matches(name, ARMS, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ArmError(f"unknown arm {name!r}{hint}; the known ones are: {'; '.join(ARMS)}")
    return ARMS[name]


def register_arm(arm: Arm) -> Arm:
    """Make an arm known by its name, to study files among others.

    Raises:
        ArmError: another arm has that name.
    """
    known = ARMS.setdefault(arm.name, arm)
    if known.reason != arm.reason:  # an arm of a module that was reloaded is the same
        raise ArmError(f"there is an arm {arm.name!r} already ({known.reason}): choose another name")
    ARMS[arm.name] = arm
    return arm


def take(clips: Sequence[ClipItem], ratio: float, real: Sequence[ClipItem], what: str) -> Sequence[ClipItem]:
    """Return the first clips, so many for each real one, so that a larger dose contains the smaller ones.

    Raises:
        ArmError: there are fewer.
    """
    wanted = math.ceil(ratio * len(real))
    if len(clips) < wanted:
        raise ArmError(f"expected {wanted} {what} clips, {ratio:g} for each of {len(real)} real ones; got {len(clips)}")
    return clips[:wanted]


def _with_synthetic(ratio: float) -> Arm:
    return Arm(
        f"real + synthetic x{ratio:g}",
        f"the real clips, and {ratio:g} synthetic ones for each of them; the question",
        lambda have: [*have.real, *take(have.synthetic, ratio, have.real, "synthetic")],
        needs=frozenset({"synthetic"}),
        ratio=ratio,
        kind="synthetic",
        dose=ratio,
    )


def _strongly_augmented(ratio: float) -> Arm:
    return Arm(
        f"real + synthetic x{ratio:g} + strong augmentation",
        "the same, augmented harder; compare it with “real + strong augmentation”: what clips add where that is used",
        lambda have: [*have.real, *take(have.synthetic, ratio, have.real, "synthetic")],
        needs=frozenset({"synthetic"}),
        ratio=ratio,
        augmentation="strong",
        kind="synthetic",
    )


_ALL = [
    Arm(REFERENCE, "the real clips; all others are compared with it", lambda have: have.real, kind="reference"),
    Arm(
        "real + strong augmentation",
        "the real clips, augmented harder; what synthetic clips have to beat, for it costs nothing",
        lambda have: have.real,
        augmentation="strong",
    ),
    Arm(
        "real + more steps",
        "the real clips, trained for twice as many steps; whether longer training is all that is missing",
        lambda have: have.real,
        steps=2,
    ),
    Arm(
        "real repeated",
        "each real clip twice; nothing can be gained here",
        lambda have: [*have.real, *have.real],
    ),
    *map(_with_synthetic, RATIOS),
    _strongly_augmented(1),
    Arm(
        "synthetic only",
        "all synthetic clips and no real one; how much of the real data they hold",
        lambda have: have.synthetic,
        needs=frozenset({"synthetic"}),
        ratio=1,
        kind="synthetic",
        caveat="real patients chose its weights, and trained the generator",
    ),
    Arm(
        "real + reconstructions",
        "the real clips, and what the autoencoder makes of them; smoothing by itself, without diffusion",
        lambda have: [*have.real, *have.reconstructed],
        needs=frozenset({"reconstructed"}),
    ),
    Arm(
        "real + copies",
        "for each synthetic clip, the training clip most like it; what a generator gives that only repeats",
        lambda have: [*have.real, *take(have.copies, 1, have.real, "nearest training")],
        needs=frozenset({"synthetic", "copies"}),
        ratio=1,
    ),
    Arm(
        "real + extra real",
        "as many further real clips, where there are so many; an upper bound",
        lambda have: [*have.real, *have.extra[: len(have.real)]],
        needs=frozenset({"extra"}),
        kind="bound",
    ),
    Arm(
        "real + pseudo-labelled synthetic x1",
        "synthetic images with masks by the segmenter of the reference; whether the generator's own are worth it",
        lambda have: [*have.real, *take(have.pseudo_labelled, 1, have.real, "pseudo-labelled")],
        needs=frozenset({"synthetic"}),
        ratio=1,
        is_pseudo_labelled=True,
        kind="synthetic",
    ),
    Arm(
        "semi-supervised, synthetic",
        "the real clips, and synthetic images without masks; whether images alone help",
        lambda have: have.real,
        lambda have: take(have.synthetic, 1, have.real, "synthetic"),
        needs=frozenset({"synthetic"}),
        ratio=1,
        kind="synthetic",
    ),
    Arm(
        "semi-supervised, real",
        "the real clips, and other real images without masks; what unlabelled clips would give instead",
        lambda have: have.real,
        lambda have: have.unlabelled,
        needs=frozenset({"unlabelled"}),
    ),
]

ARMS: dict[str, Arm] = {arm.name: arm for arm in _ALL}
"""Every arm by its name."""
