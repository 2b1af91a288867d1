# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Splits: no patient on two sides, fractions that hold each other, refusals by name."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest
import torch

from downstream.clips import write_clip
from downstream.splits import Split, check_split, folds_to_test, split_items
from downstream.study import Generator, StudyError
from monai_feat.data import ClipItem

from .conftest import make_study

ITEMS = [ClipItem(Path(f"p{p}_{i}"), Path(f"p{p}_{i}_label"), f"p{p}", fold=p % 3) for p in range(24) for i in range(2)]
SIDES = ("train", "validation", "test", "extra")


def groups(split: Split, side: str) -> set[str]:
    return {item.group for item in getattr(split, side)}


@pytest.mark.parametrize("fold", [0, 1, 2])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 1.0])
def test_no_patient_is_on_two_sides(fold: int, fraction: float) -> None:
    split = split_items(ITEMS, make_study(), fold, fraction)
    for first, second in combinations(SIDES, 2):
        assert not groups(split, first) & groups(split, second)
    assert sum(len(getattr(split, side)) for side in SIDES) == len(ITEMS)
    assert groups(split, "test") == {f"p{p}" for p in range(24) if p % 3 == fold}


def test_a_larger_fraction_holds_a_smaller_one() -> None:
    splits = [split_items(ITEMS, make_study(), 1, fraction) for fraction in (0.2, 0.5, 0.75, 1.0)]
    for small, large in pairwise(splits):
        assert groups(small, "train") < groups(large, "train")
        assert groups(small, "validation") <= groups(large, "validation")
    assert not splits[-1].extra


def test_the_share_of_the_validation_patients() -> None:
    split = split_items(ITEMS, make_study(validation_share=0.25), 0, 1.0)
    assert len(groups(split, "validation")) / 16 == 0.25


def test_the_split_depends_on_its_seed_alone() -> None:
    same = split_items(ITEMS[::-1], make_study(seeds=(1,)), 0, 0.5)
    assert groups(same, "train") == groups(split_items(ITEMS, make_study(), 0, 0.5), "train")
    assert split_items(ITEMS, make_study(split_seed=1), 0, 0.5) != split_items(ITEMS, make_study(), 0, 0.5)


def test_clips_without_masks_are_kept_apart() -> None:
    bare = [ClipItem(Path(f"bare{p}"), None, f"bare{p}", fold=p % 3) for p in range(6)]
    split = split_items([*ITEMS, *bare], make_study(), 0, 0.5)
    assert {item.group for item in split.without_masks} == {"bare1", "bare2", "bare4", "bare5"}


def test_folds_that_are_not_there_are_refused() -> None:
    assert folds_to_test(ITEMS, make_study(folds=())) == [0, 1, 2]
    with pytest.raises(StudyError, match=r"folds \[7\] are not in the datalist, which has \[0, 1, 2\]"):
        folds_to_test(ITEMS, make_study(folds=(0, 7)))
    with pytest.raises(StudyError, match="at least two folds"):
        folds_to_test([item for item in ITEMS if item.fold == 0], make_study())


def test_a_side_without_clips_is_refused() -> None:
    with pytest.raises(StudyError, match="fold 0 at 50%: no labelled clip for train; there are 1 labelled groups"):
        split_items([item for item in ITEMS if item.group in ("p0", "p1")], make_study(), 0, 0.5)


def written(folder: Path, name: str, has_structure: bool) -> ClipItem:
    label = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    label[..., 8:16, 8:16] = int(has_structure)
    return write_clip(ClipItem(folder, group=name), torch.zeros_like(label), label, folder / name, 0)


def test_a_class_that_a_side_lacks_is_named(tmp_path: Path) -> None:
    has, lacks = written(tmp_path, "has", True), written(tmp_path, "lacks", False)
    check_split(Split((has,), (has,), (lacks, has)), make_study(), "fold 0")
    with pytest.raises(StudyError, match="fold 0: class 1 is in no mask of validation, whose groups are lacks"):
        check_split(Split((has,), (lacks,), (has,)), make_study(), "fold 0")


def test_a_generator_that_knows_a_test_patient_is_refused(tmp_path: Path) -> None:
    has, other = written(tmp_path, "anna", True), written(tmp_path, "bert", True)
    generator = Generator(
        "trained", Path("a"), autoencoder_weights=Path("b"), network_weights=Path("c"), training_groups=("anna", "x")
    )
    study = make_study(generator=generator)
    check_split(Split((has,), (other,), (other,)), study, "fold 2")
    with pytest.raises(StudyError, match="fold 2: the generator was trained on anna"):
        check_split(Split((other,), (other,), (has,)), study, "fold 2")
