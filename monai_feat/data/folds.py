# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Grouped, stratified, seeded splits.

The rule is that of scikit-learn's ``StratifiedGroupKFold`` in spirit: large groups first, each to where it disturbs the
balance of classes least. It is written here because it is twenty lines, because scikit-learn would be the largest
requirement of this package, and because that class cannot hold out a share. MONAI's ``partition_dataset_classes``
balances classes but tears groups apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["assign_folds", "hold_out"]


def assign_folds(groups: Sequence[str], classes: Sequence[str], num_folds: int, seed: int = 0) -> list[int]:
    """Give every item a fold so that no group is in two folds, and folds are alike in size and in classes.

    The same arguments give the same folds in every version of numpy's ``PCG64``; the order of items does not matter.

    Args:
        groups: group of each item.
        classes: class of each item.
        num_folds: number of folds, at least 1 and at most the number of groups.
        seed: decides between groups of equal size.

    Returns:
        The fold of each item, in [0, num_folds); no fold is empty.

    Raises:
        ValueError: there are fewer groups than folds, or the lengths differ.
    """
    distinct = len(set(groups))
    if not 1 <= num_folds <= distinct:
        groups_are = "all clips are of one group" if distinct == 1 else f"there are {distinct} groups"
        raise ValueError(
            f"expected at most {distinct} folds, because {groups_are}, got {num_folds}; ask for {distinct} with "
            "--folds, or name finer groups"
        )
    bins = _deal(groups, classes, np.full(num_folds, 1 / num_folds), seed)
    return [bins[group] for group in groups]


def hold_out(groups: Sequence[str], classes: Sequence[str], share: float, seed: int = 0) -> set[str]:
    """Choose whole groups that hold about a share of the items, with the classes in the same proportions.

    Where groups are so few that the rule would hold out none or all, one group is held out or left, the one whose size
    comes closest.

    Args:
        groups: group of each item.
        classes: class of each item.
        share: share of the items to hold out, in (0, 1).
        seed: decides between groups of equal size.

    Returns:
        Names of the groups to hold out, at least one and not all.

    Raises:
        ValueError: the share is out of range, or there are fewer than two groups.
    """
    if not 0 < share < 1:
        raise ValueError(f"expected a share in (0, 1), got {share}")
    names, counts = _count(groups, classes)
    if len(names) < 2:
        raise ValueError(
            f"expected at least two groups to hold one out, got {len(names)}: {names}; hold out none, or name "
            "finer groups"
        )
    bins = _deal(groups, classes, np.array([share, 1 - share]), seed)
    held = {group for group, number in bins.items() if number == 0}
    if 0 < len(held) < len(names):
        return held
    wanted = share if not held else 1 - share
    single = names[int(np.argmin(np.abs(counts[:, -1] - wanted * len(groups))))]
    return {single} if not held else held - {single}


def _deal(groups: Sequence[str], classes: Sequence[str], shares: npt.NDArray[np.float64], seed: int) -> dict[str, int]:
    """Bin of each group: large groups first, each to where Σ n²/(share·N) over classes and the total grows least.

    With n items of a class in a bin and N in all, that sum is smallest where every bin holds its share of each class.
    """
    names, counts = _count(groups, classes)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order, -1], kind="stable")]
    weights = 1 / (shares[:, None] * counts.sum(0))  # (bins, classes + 1)
    filled = np.zeros_like(weights)
    bins = {}
    for i in order:
        growth = ((2 * filled + counts[i]) * counts[i] * weights).sum(1)
        chosen = int(np.argmin(growth.round(9)))
        filled[chosen] += counts[i]
        bins[names[i]] = chosen
    return bins


def _count(groups: Sequence[str], classes: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Names of the groups, and how many items of each class and in all they hold: ``(groups, classes + 1)``."""
    names, kinds = sorted(set(groups)), sorted(set(classes))
    row, column = {name: i for i, name in enumerate(names)}, {kind: i for i, kind in enumerate(kinds)}
    counts = np.zeros((len(names), len(kinds) + 1))
    for group, kind in zip(groups, classes, strict=True):
        counts[row[group], column[kind]] += 1
    counts[:, -1] = counts.sum(1)
    return names, counts
