# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulation as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..statistics import VERDICTS
from .intervals import FAMILIES, METHODS

__all__ = ["markdown"]

Row = Mapping[str, Any]
_SIZES = ("folds", "patients", "seeds")


def markdown(table: Row) -> str:
    """Return three tables, of errors, of methods and of verdicts, from what `downstream.simulation` wrote."""
    made = f"`{table['command']}`, {table['date']}, {table['studies']} studies a cell:"
    parts = [_errors(table["intervals"]), _methods(table["intervals"]), _verdicts(table["verdicts"])]
    return "\n\n".join([made, *("\n".join(part) for part in parts)])


def _errors(rows: list[Row]) -> Iterator[str]:
    """For each design, the worst over all laws and spreads: coverage of one interval, errors of families."""
    families = [size for size in FAMILIES if size > 1]
    yield from _head(*_SIZES, "", "least coverage", *(f"{size} arms err" for size in families))
    for found in _by_design(rows):
        errors = [max(row["errors"][str(size)] for row in found) for size in FAMILIES]
        verdicts = "verdicts" if found[0]["verdicts"] else "none given"
        yield _line(*_sizes(found[0]["design"]), verdicts, f"{1 - errors[0]:.3f}", *(f"{e:.3f}" for e in errors[1:]))


def _methods(rows: list[Row]) -> Iterator[str]:
    """For each number of folds, the worst of each method: why the one in use was chosen."""
    yield from _head("folds", *(f"{name}: {what}" for name in METHODS for what in ("least coverage", "7 arms err")))
    for folds in sorted({row["design"]["folds"] for row in rows}):
        found = [row for row in rows if row["design"]["folds"] == folds]
        worst = [max(row["methods"][name][size] for row in found) for name in METHODS for size in ("1", "7")]
        cells = [f"{share if place % 2 else 1 - share:.3f}" for place, share in enumerate(worst)]
        yield _line(str(folds), *cells)


def _verdicts(rows: list[Row]) -> Iterator[str]:
    yield from _head(*_SIZES, "questions", "asked", "true gain", *VERDICTS)
    for row in rows:
        shares = [f"{row['verdicts'].get(verdict, 0):.3f}" for verdict in VERDICTS]
        gain = f"{row['gain']:+.2f}".replace("-", "−")
        yield _line(*_sizes(row["design"]), str(row["family"]), row["ask"], gain, *shares)


def _by_design(rows: list[Row]) -> Iterator[list[Row]]:
    for design in {tuple(row["design"].items()): row["design"] for row in rows}.values():
        yield [row for row in rows if row["design"] == design]


def _sizes(design: Row) -> tuple[str, str, str]:
    uneven = "" if design["balanced"] else ", uneven"
    return str(design["folds"]), f"{design['folds'] * design['patients']}{uneven}", str(design["seeds"])


def _head(*names: str) -> Iterator[str]:
    yield _line(*names)
    yield f"|{'---|' * len(names)}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
