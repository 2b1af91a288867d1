# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Floors: what a distance gives for real clips against other real clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..results import Floor, Interval
from .estimates import deal_groups

__all__ = ["DEFECTS", "SPLITS", "SplitDistance", "band_level", "floor_of_splits", "split_distances"]

SPLITS = 20

DEFECTS: dict[str, Callable[[Tensor], Tensor]] = {
    "repeated one clip": lambda part: part[:1].expand_as(part),
    "halved all differences between clips": lambda part: part.mean(dim=0) + 0.5 * (part - part.mean(dim=0)),
}
"""What is done to real features to see whether a distance would notice, by what a generator would have done."""


@dataclass(frozen=True)
class SplitDistance:
    """The distance of two parts of the real clips, their numbers of clips, and the distance with each defect."""

    value: float
    num_real: int
    num_fake: int
    defects: Mapping[str, float] = field(default_factory=dict)


def split_distances(
    distance: Callable[[Tensor, Tensor], float],
    real: Tensor,
    groups: Tensor,
    num_fake: int,
    seed: int = 0,
    defects: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
) -> list[SplitDistance]:
    """Measure a distance between two parts of the real clips that share no group, over 20 seeded splits.

    The part in the place of the synthetic clips holds min(`num_fake`, N / 2) clips, or as near as whole groups allow;
    the other part holds the rest.

    Args:
        distance: of real features ``(N, D)`` and others ``(M, D)``.
        real: all real features, ``(N, D)``.
        groups: number of the group of each real clip, ``(N,)``.
        num_fake: M, the synthetic clips of the score.
        seed: draws the splits.
        defects: what is done to the part in the place of the synthetic clips, such as `DEFECTS`, and measured too.

    Raises:
        ValueError: there is no synthetic clip.
    """
    if num_fake < 1:
        raise ValueError(f"num_fake is {num_fake}, expected 1 or more: the number of synthetic clips of the score")
    generator = torch.Generator().manual_seed(seed)
    parts = [deal_groups(groups, min(num_fake, len(real) // 2), generator) for _ in range(SPLITS)]
    found = []
    for part in parts:
        a, b = real[~part], real[part]
        spoiled = {name: distance(a, spoil(b)) for name, spoil in (defects or {}).items()}
        found.append(SplitDistance(distance(a, b), len(a), len(b), spoiled))
    return found


def floor_of_splits(
    splits: Sequence[SplitDistance],
    num_real: int,
    num_fake: int,
    order: float | None = None,
    higher_is_better: bool = False,
) -> Floor:
    """Bring distances of parts to the score's numbers of clips, and average them.

    There are fewer clips in the parts than behind the score, and the distance is larger. `order` corrects that: between
    samples of one law a distance falls with ``(1/N + 1/M)^order``, to first order. It is 1 for squared distances, as
    the Fréchet and the kernel distance are, and ½ for a Wasserstein distance in one dimension. For the Fréchet distance
    it holds from N = 2 D: give None below (docs/intervals.md).

    Args:
        splits: what `split_distances` gave.
        num_real: N, the real clips of the score.
        num_fake: M, its synthetic clips.
        order: see above; None where it is unknown: the floor then is that of the parts, and its `note` says so.
        higher_is_better: of the distance, which then is a score.

    Returns:
        The mean over splits; as `interval` the range of the splits, in which a further split falls with probability
        (splits - 1) / (splits + 1), since all are drawn alike; no closed form. As `blind_to` the defects with which
        more than a quarter of the splits score within that range: this floor cannot tell such a generator from real
        clips.

    Example:
        >>> floor = floor_of_splits([SplitDistance(2.0, 20, 20), SplitDistance(4.0, 20, 20)], 40, 40, order=1)
        >>> floor.measured, floor.interval.low, floor.scale
        (1.5, 1.0, 0.5)
    """
    wanted, count = (num_real, num_fake), len(splits)
    parts = [(split.num_real, split.num_fake) for split in splits]
    scales = [1.0 if order is None else _size_ratio(wanted, part) ** order for part in parts]
    values = [scale * split.value for scale, split in zip(scales, splits, strict=True)]
    size = tuple(round(sum(side) / count) for side in zip(*parts, strict=True))
    return Floor(
        measured=sum(values) / count,
        interval=Interval(min(values), max(values), band_level(count), f"range of {count} splits by group", None),
        closed_form=None,
        num_real=size[0],
        num_fake=size[1],
        scale=sum(scales) / count,
        note=_note(parts, size, wanted, order is not None),
        blind_to=_hidden(splits, scales, values, higher_is_better),
    )


def _hidden(
    splits: Sequence[SplitDistance], scales: Sequence[float], values: Sequence[float], higher_is_better: bool
) -> tuple[str, ...]:
    """Name the defects with which a quarter of the splits score no worse than the worst split without.

    What two parts of one law differ by falls with their numbers of clips, what a defect adds does not.
    """
    sign = -1.0 if higher_is_better else 1.0
    worst = max(sign * value for value in values)
    hidden = []
    for name in splits[0].defects:
        found = [
            sign * (split.defects[name] - (1 - scale) * split.value)
            for scale, split in zip(scales, splits, strict=True)
        ]
        if sum(value <= worst for value in found) > len(found) / 4:
            hidden.append(name)
    return tuple(hidden)


def band_level(splits: int) -> float:
    """Return the probability that one more split falls in the range of so many."""
    return (splits - 1) / (splits + 1)


def _size_ratio(wanted: tuple[int, int], parts: tuple[int, int]) -> float:
    """Return ``1/N + 1/M`` of the wanted numbers of clips over that of the parts: the ratio of squared distances."""
    return sum(1 / n for n in wanted) / sum(1 / n for n in parts)


def _note(parts: Sequence[tuple[int, int]], size: tuple[int, ...], wanted: tuple[int, int], is_corrected: bool) -> str:
    measured = f"measured with {size[0]} against {size[1]} real clips"
    if all(part == wanted for part in parts):
        return measured
    if is_corrected:
        return f"{measured}, and corrected to {wanted[0]} against {wanted[1]} to first order"
    return f"{measured}, not with {wanted[0]} against {wanted[1]}: not corrected"
