# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulation as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..statistics import VERDICTS
from .interval_trials import METHODS
from .studies import rate_interval

__all__ = ["markdown"]

Row = Mapping[str, Any]


def markdown(table: Row) -> str:
    """Return three tables, of coverage, verdicts and errors, from what `downstream.simulation` wrote."""
    total = table["replicates"]
    made = f"`{table['command']}`, {table['date']}, {total} replicates:"
    parts = [made, "", *_coverage(table["coverage"]), "", *_verdicts(table["studies"], total)]
    return "\n".join([*parts, "", *_errors(table["studies"], total)])


def _coverage(rows: list[Row]) -> Iterator[str]:
    """For each design, least and most coverage over all laws and spreads, and the mean width."""
    yield from _head("folds", "patients", "seeds", *(f"{name} (width)" for name in METHODS), "signed rank errs")
    for design in {tuple(row["design"].items()): row["design"] for row in rows}.values():
        found = [row for row in rows if row["design"] == design]
        cells = [_coverage_cell(found, name) for name in METHODS]
        yield _line(*_sizes(design), *cells, _range([row["signed_rank"] for row in found]))


def _verdicts(studies: Mapping[str, Row], total: int) -> Iterator[str]:
    yield from _head("study", "arm", "true gain", *VERDICTS, "interval holds", "signed rank")
    for name, study in studies.items():
        for arm, row in study["arms"].items():
            verdicts = [_share(row["verdicts"].get(verdict, 0), total) for verdict in VERDICTS]
            rest = _share(row["covered"], total), _share(row["signed_rank"], total)
            yield _line(name, arm, f"{row['gain']:+.2f}".replace("-", "−"), *verdicts, *rest)


def _errors(studies: Mapping[str, Row], total: int) -> Iterator[str]:
    yield from _head("study", "folds", "patients", "seeds", "false finding", "false “no relevant difference”")
    for name, study in studies.items():
        errors = [_with_interval(study[key], total) for key in ("false_finding", "false_equivalence")]
        yield _line(name, *_sizes(study["design"]), *errors)


def _sizes(design: Row) -> tuple[str, str, str]:
    return str(design["folds"]), str(design["folds"] * design["patients"]), str(design["seeds"])


def _coverage_cell(rows: list[Row], name: str) -> str:
    found = [row for row in rows if name in row["coverage"]]
    return _range([row["coverage"][name] for row in found]) + _width(found, name) if found else "–"


def _range(shares: list[float]) -> str:
    return f"{min(shares):.3f} to {max(shares):.3f}"


def _width(rows: list[Row], name: str) -> str:
    return f" ({sum(row['width'][name] for row in rows) / len(rows):.1f})"


def _share(count: int, total: int) -> str:
    return f"{count / total:.3f}"


def _with_interval(count: int, total: int) -> str:
    low, high = rate_interval(count, total)
    return f"{count / total:.3f} ({low:.3f} to {high:.3f})"


def _head(*names: str) -> Iterator[str]:
    yield _line(*names)
    yield f"|{'---|' * len(names)}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
