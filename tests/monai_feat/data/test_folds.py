# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from monai_feat.data.folds import assign_folds, hold_out


def random_items(seed: int, num_groups: int, num_classes: int) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, num_groups)
    groups = [f"g{i}" for i, size in enumerate(sizes) for _ in range(size)]
    return groups, [f"c{rng.integers(num_classes)}" for _ in groups]


@pytest.mark.parametrize("seed", range(25))
def test_no_group_is_torn_apart_and_no_fold_is_empty(seed: int) -> None:
    groups, classes = random_items(seed, num_groups=5 + seed, num_classes=1 + seed % 3)
    for num_folds in (1, 2, 5):
        folds = assign_folds(groups, classes, num_folds, seed)
        assert set(folds) == set(range(num_folds))
        assert all(len(set(pairs)) == 1 for pairs in by_group(groups, folds).values())


def by_group(groups: list[str], folds: list[int]) -> dict[str, list[int]]:
    return {group: [f for g, f in zip(groups, folds, strict=True) if g == group] for group in groups}


def test_classes_are_balanced_exactly_where_they_can_be() -> None:
    groups = [f"p{i}" for i in range(20) for _ in range(3)]
    classes = ["ill" if i < 5 else "well" for i in range(20) for _ in range(3)]
    folds = assign_folds(groups, classes, 5, seed=3)
    counts = Counter(zip(folds, classes, strict=True))
    assert {counts[fold, "ill"] for fold in range(5)} == {3}
    assert {counts[fold, "well"] for fold in range(5)} == {9}


def imbalance(groups: list[str], classes: list[str], folds: list[int], num_folds: int) -> float:
    """Sum of squared class and item counts: what an exhaustive search can minimise."""
    counts = Counter(zip(folds, classes, strict=True))
    totals = Counter(classes)
    per_class = sum(n * n / totals[name] for (_, name), n in counts.items())
    return per_class + sum(n * n for n in Counter(folds).values()) / len(groups)


@pytest.mark.parametrize("seed", range(6))
def test_the_rule_comes_close_to_the_best_split_of_all(seed: int) -> None:
    groups, classes = random_items(seed, num_groups=9, num_classes=2)
    names = sorted(set(groups))
    best = min(
        imbalance(groups, classes, [dict(zip(names, dealt, strict=True))[g] for g in groups], 2)
        for dealt in itertools.product((0, 1), repeat=len(names))
    )
    assert imbalance(groups, classes, assign_folds(groups, classes, 2, seed), 2) <= 1.1 * best


def test_seed_and_nothing_else_decides() -> None:
    groups, classes = random_items(1, 30, 2)
    folds = assign_folds(groups, classes, 5, seed=7)
    assert folds == assign_folds(groups, classes, 5, seed=7)
    assert folds != assign_folds(groups, classes, 5, seed=8)
    order = np.random.default_rng(0).permutation(len(groups))
    shuffled = assign_folds([groups[i] for i in order], [classes[i] for i in order], 5, seed=7)
    assert shuffled == [folds[i] for i in order]


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_a_share_is_held_out_by_whole_groups(share: float) -> None:
    groups, classes = random_items(4, 60, 3)
    held = hold_out(groups, classes, share, seed=1)
    in_test = [group in held for group in groups]
    assert np.mean(in_test) == pytest.approx(share, abs=0.03)
    for name in set(classes):
        of_class = [there for there, c in zip(in_test, classes, strict=True) if c == name]
        assert np.mean(of_class) == pytest.approx(share, abs=0.08)


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 2 folds, because there are 2 groups, got 3; ask for 2 with --folds"):
        assign_folds(["a", "a", "b"], ["", "", ""], 3)
    with pytest.raises(ValueError, match=r"share in \(0, 1\), got 1"):
        hold_out(["a", "b"], ["", ""], 1.0)
    with pytest.raises(ValueError, match=r"at least two groups to hold one out, got 1: \['a'\]"):
        hold_out(["a", "a"], ["", ""], 0.5)


def test_few_groups_give_one_side_the_group_that_fits_best() -> None:
    groups = ["a"] * 5 + ["b"] * 4 + ["c"] * 2
    assert hold_out(groups, groups, 0.2) == {"c"}
    assert hold_out(groups, groups, 0.99) == {"a", "b"}
