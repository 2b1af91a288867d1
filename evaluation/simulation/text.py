# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated coverage as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["markdown"]

_LEVEL = "0.95"
_DISTANCES = ("frechet", "frechet_infinite", "kernel")

Rows = dict[str, list[dict[str, Any]]]  # of one regime, by kind


def markdown(table: dict[str, Any]) -> str:
    """Return three tables, of distances, means and floors, from what `evaluation.simulation` wrote."""
    regimes: dict[tuple[int, ...], Rows] = {}
    for row in table["rows"]:
        regimes.setdefault(tuple(row["regime"].values()), {}).setdefault(row["kind"], []).append(row)
    made = f"`{table['command']}`, {table['date']}, {table['replicates']} replicates:"
    return "\n".join([made, "", *_distances(regimes), "", *_means(regimes), "", *_floors(regimes)])


def _distances(regimes: dict[tuple[int, ...], Rows]) -> Iterator[str]:
    yield from _head("N", "M", "D", "groups", *(f"`{kind}`" for kind in _DISTANCES))
    for regime, rows in regimes.items():
        if "kernel" in rows:
            yield _line(*_numbers(regime), *(_from_worst(rows.get(kind, [])) for kind in _DISTANCES))


def _means(regimes: dict[tuple[int, ...], Rows]) -> Iterator[str]:
    yield from _head("clips", "groups", "mean of normal values", "of skewed values", "of very skewed values")
    for regime, rows in regimes.items():
        if found := rows.get("mean", []) + rows.get("mean_very_skewed", []):
            yield _line(str(regime[0]), str(regime[3]), *(f"{row['coverage'][_LEVEL]:.3f}" for row in found))


def _floors(regimes: dict[tuple[int, ...], Rows]) -> Iterator[str]:
    what = ("floor over truth", "range holds", "told apart")
    yield from _head(
        "N", "M", "D", "groups", *(f"Fréchet: {name}" for name in what), *(f"kernel: {name}" for name in what[1:])
    )
    for regime, rows in regimes.items():
        if "floor_kernel" in rows:
            frechet, kernel = rows["floor_frechet"], rows["floor_kernel"]
            ratio = _each(row["ratio"] for row in frechet)
            yield _line(*_numbers(regime), ratio, *_judged(frechet), *_judged(kernel))


def _judged(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield _each(next(iter(row["coverage"].values())) for row in rows)
    yield _each(row["told_apart"] for row in rows)


def _each(shares: Iterable[float]) -> str:
    return ", ".join(f"{share:.2f}" for share in shares)


def _head(*names: str) -> Iterator[str]:
    yield _line(*names)
    yield f"|{'---|' * len(names)}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _numbers(regime: tuple[int, ...]) -> Iterator[str]:
    yield from map(str, regime[:3])
    yield "clips" if regime[:2] == regime[3:] else f"{regime[3]}, {regime[4]}"


def _from_worst(rows: list[dict[str, Any]]) -> str:
    """Return the least coverage over the laws, with the law, and the most."""
    if not rows:
        return "–"
    held = {row["law"]: row["coverage"][_LEVEL] for row in rows}
    worst = min(held, key=lambda law: held[law])
    return f"{held[worst]:.3f} ({worst}) to {max(held.values()):.3f}"
