# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Floors: what a distance gives for real clips against other real clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..results import Floor, Interval
from .estimates import deal_groups, group_numbers
from .intervals import Regime, simulated_coverage

__all__ = ["FEWEST_GROUPS", "FEWEST_SPLITS", "band_level", "measure_floor", "size_ratio"]

FEWEST_GROUPS = 4
FEWEST_SPLITS = 3


def measure_floor(
    distance: Callable[[Tensor, Tensor], float],
    real: Tensor,
    groups: Sequence[str],
    num_fake: int,
    splits: int = 20,
    seed: int = 0,
    order: float | None = None,
    kind: str = "",
) -> Floor:
    """Measure a distance between two parts of the real clips that share no group, over seeded splits.

    The part in the place of the synthetic clips holds min(`num_fake`, N / 2) clips, or as near as whole groups allow;
    the other part holds the rest. So there are fewer clips than behind the score, and the floor is higher than at the
    score's numbers. `order` corrects that: between samples of one law a distance falls with ``(1/N + 1/M)^order``, to
    first order. It is 1 for squared distances, as the Fréchet and the kernel distance are, and ½ for a Wasserstein
    distance in one dimension. For the Fréchet distance it holds from N = 2 D: give None below (docs/intervals.md).

    Args:
        distance: of real features ``(N, D)`` and others ``(M, D)``.
        real: all real features, ``(N, D)``.
        groups: of each real clip.
        num_fake: M, the synthetic clips of the score.
        splits: how many.
        seed: draws the splits.
        order: see above; None where it is unknown: the floor then is that of the parts, and its `note` says so.
        kind: ``"frechet"`` or ``"kernel"``, for the simulated coverage of the spread; empty where there is none.

    Returns:
        The mean over splits; as `interval` the range of the splits, in which a further split falls with probability
        (splits - 1) / (splits + 1), since all are drawn alike; no closed form. Nothing is measured with fewer than 4
        groups.

    Raises:
        ValueError: not one group per clip, no synthetic clip, or fewer than 3 splits.

    Example:
        >>> real = torch.randn(40, 2)
        >>> floor = measure_floor(lambda a, b: float((a.mean() - b.mean()) ** 2), real, [str(i) for i in range(40)], 40)
        >>> floor.num_real, floor.num_fake
        (20, 20)
    """
    if num_fake < 1 or splits < FEWEST_SPLITS:
        raise ValueError(f"expected num_fake >= 1 and splits >= {FEWEST_SPLITS}, got {num_fake} and {splits}")
    numbers = group_numbers(groups, len(real))
    count = int(numbers.max()) + 1
    if count < FEWEST_GROUPS:
        return Floor(
            None, None, None, note=f"{count} groups of real clips are too few to split; {FEWEST_GROUPS} are needed"
        )
    parts = _parts(numbers, min(num_fake, len(real) // 2), splits, seed)
    sizes = [(int((~other).sum()), int(other.sum())) for other in parts]
    scales = [1.0 if order is None else size_ratio((len(real), num_fake), size) ** order for size in sizes]
    values = [scale * distance(real[~other], real[other]) for scale, other in zip(scales, parts, strict=True)]
    size = len(real) - round(sum(b for _, b in sizes) / splits), round(sum(b for _, b in sizes) / splits)
    regime = Regime(len(real), num_fake, real.shape[1], count, count)
    return Floor(
        measured=sum(values) / splits,
        interval=_range(values, None if order is None else f"floor_{kind}", regime),
        closed_form=None,
        num_real=size[0],
        num_fake=size[1],
        scale=sum(scales) / splits,
        note=_note(order, size, (len(real), num_fake)),
    )


def size_ratio(wanted: tuple[int, int], parts: tuple[int, int]) -> float:
    """Return ``1/N + 1/M`` of the wanted numbers of clips over that of the parts: the ratio of squared distances."""
    return sum(1 / n for n in wanted) / sum(1 / n for n in parts)


def band_level(splits: int) -> float:
    """Return the probability that one more split falls in the range of so many."""
    return (splits - 1) / (splits + 1)


def _parts(groups: Tensor, wanted: int, splits: int, seed: int) -> list[Tensor]:
    """Return masks ``(N,)`` of the clips that stand in for synthetic ones."""
    generator = torch.Generator().manual_seed(seed)
    return [deal_groups(groups, wanted, generator) for _ in range(splits)]


def _range(values: list[float], simulated: str | None, regime: Regime) -> Interval:
    level = band_level(len(values))
    coverage = None if simulated is None else simulated_coverage(simulated, regime, level)
    return Interval(min(values), max(values), level, f"range of {len(values)} splits by group", coverage)


def _note(order: float | None, size: tuple[int, int], wanted: tuple[int, int]) -> str:
    measured = f"measured with {size[0]} against {size[1]} real clips"
    if order is None:
        return f"{measured}, not with {wanted[0]} against {wanted[1]}: not corrected"
    return f"{measured}, and corrected to {wanted[0]} against {wanted[1]} to first order"
