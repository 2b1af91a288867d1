# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Who trains, who validates and who is tested, by patient, in one fold and for one fraction of the real data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monai_feat.data import ClipItem, load_clip

from .study import Study, StudyError

__all__ = ["Split", "check_generator", "check_split", "folds_to_test", "split_items"]


@dataclass(frozen=True)
class Split:
    """The clips of one fold and fraction; no patient is in two of ``train``, ``validation``, ``test`` and ``extra``.

    Attributes:
        train: labelled clips of the patients that an arm trains on.
        validation: labelled clips of patients that choose the weights.
        test: labelled clips of the test fold.
        extra: labelled clips of patients of the training folds that the fraction leaves out.
        without_masks: clips of the training folds without labels.
    """

    train: tuple[ClipItem, ...]
    validation: tuple[ClipItem, ...]
    test: tuple[ClipItem, ...]
    extra: tuple[ClipItem, ...] = ()
    without_masks: tuple[ClipItem, ...] = ()


def folds_to_test(items: Sequence[ClipItem], study: Study) -> list[int]:
    """Return the folds that are tested.

    Raises:
        StudyError: the datalist has no such fold.
    """
    there = sorted({item.fold for item in items if item.fold is not None})
    if missing := [fold for fold in study.folds if fold not in there]:
        raise StudyError(f"folds {missing} are not in the datalist, which has {there}")
    if len(there) < 2:
        raise StudyError(f"expected at least two folds in the datalist, got {there}; build it with --folds")
    return list(study.folds or there)


def split_items(items: Sequence[ClipItem], study: Study, fold: int, fraction: float) -> Split:
    """Split clips by patient.

    The patients of the training folds are put in an order that depends on `Study.split_seed` and the fold alone. A
    fraction is the first so many of them, so a larger one holds the smaller ones, and every so-manieth validates.

    Raises:
        StudyError: a side is empty.
    """
    test = [item for item in items if item.fold == fold]
    rest = [item for item in items if item.fold != fold]
    groups = sorted({item.group for item in rest if item.label is not None})
    order = [groups[i] for i in np.random.default_rng([study.split_seed, fold]).permutation(len(groups))]
    chosen = order[: max(2, math.ceil(fraction * len(order)))]
    every = max(2, round(1 / study.validation_share))
    validating = set(chosen[::every])
    split = Split(
        train=_of(rest, set(chosen) - validating),
        validation=_of(rest, validating),
        test=_of(test, {item.group for item in test}),
        extra=_of(rest, set(order) - set(chosen)),
        without_masks=tuple(item for item in rest if item.label is None and item.group not in validating),
    )
    for side in ("train", "validation", "test"):
        if not getattr(split, side):
            raise StudyError(
                f"fold {fold} at {fraction:.0%}: no labelled clip for {side}; there are {len(groups)} labelled groups "
                "in the other folds"
            )
    return split


def check_split(split: Split, study: Study, where: str) -> None:
    """Refuse a split one of whose sides lacks a class, or whose patients a trained generator knows.

    Args:
        split: what is checked; its masks are read.
        study: names the classes and the generator.
        where: which fold and fraction, for the message.

    Raises:
        StudyError: names the side and the class, or the patients.
    """
    check_generator(split, study, where)
    num_classes = study.data.num_classes
    for side in ("train", "validation", "test"):
        items: tuple[ClipItem, ...] = getattr(split, side)
        found: set[int] = set()
        for item in items:
            assert item.label is not None
            found |= set(load_clip(item.label).unique().int().tolist())
        if missing := sorted(set(range(num_classes)) - found):
            groups = sorted({item.group for item in items})
            raise StudyError(
                f"{where}: class {', '.join(map(str, missing))} is in no mask of {side}, whose groups are "
                f"{', '.join(groups)}; ask for fewer folds, a larger fraction or another split_seed"
            )


def check_generator(split: Split, study: Study, where: str) -> None:
    """Refuse a split whose test or validation patients a trained generator knows.

    Raises:
        StudyError: names the patients.
    """
    known = set(study.generator.training_groups or ())
    if both := sorted(known & {item.group for item in (*split.test, *split.validation)}):
        raise StudyError(f"{where}: the generator was trained on {', '.join(both)}, who test or validate there")


def _of(items: Sequence[ClipItem], groups: set[str]) -> tuple[ClipItem, ...]:
    return tuple(item for item in items if item.group in groups and item.label is not None)
