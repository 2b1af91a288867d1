# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate how often floors and intervals hold the truth, and write the table that `scoring.intervals` reads.

    python -m evaluation.simulation --replicates 500        # about a quarter of an hour; continues where it was stopped
    python -m evaluation.simulation --markdown              # the table as in docs/intervals.md
    python -m evaluation.simulation --quick --out try.json  # the smallest sizes, few replicates

Exit codes: 0 written or printed, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from monai_feat.files import read_json, write_text

from ..scoring.intervals import TABLE
from .cells import CELLS, Cell, Row, simulate_cell
from .text import markdown

__all__ = ["main", "simulate_table"]

QUICK_REPLICATES = 20
_BAR = "{percentage:3.0f} %, {elapsed} gone, {remaining} left: {desc}"


def simulate_table(
    cells: Sequence[Cell], replicates: int, seed: int, out: Path, command: str, progress: bool = True
) -> dict[str, Any]:
    """Simulate cells and write their table; a run that was stopped continues after the last whole cell.

    Raises:
        ValueError: fewer than two replicates, or what a stopped run left was made with other settings.
    """
    if replicates < 2:
        raise ValueError(f"expected at least 2 replicates, got {replicates}")
    settings = {"replicates": replicates, "seed": seed}
    unfinished = out.with_suffix(".partial.json")
    table: dict[str, Any] = {"command": command, "date": date.today().isoformat(), **settings, "rows": []}
    if unfinished.exists():
        table["rows"] = _left_by(unfinished, settings)
    done = {row["cell"] for row in table["rows"]}
    left = [cell for cell in cells if cell.name not in done]
    total = replicates * sum(cell.work for cell in left)
    with tqdm(total=total, smoothing=0.02, bar_format=_BAR, disable=not progress) as bar:
        for cell in left:
            bar.set_description(cell.name)
            table["rows"] += simulate_cell(cell, replicates, seed, partial(bar.update, cell.work))
            _write(table, unfinished)
    _write(table, unfinished)
    unfinished.replace(out)
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)  # the matrices are small: more threads only wait for each other
    try:
        if options.markdown:
            print(markdown(read_json(options.out)))
            return 0
        if options.quick and options.out == TABLE:
            raise ValueError("--quick is a trial and may not replace the table; give --out")
        replicates = QUICK_REPLICATES if options.quick else options.replicates
        cells = [cell for cell in CELLS if cell.regime.num_real <= 30] if options.quick else CELLS
        command = f"python -m evaluation.simulation --replicates {replicates} --seed {options.seed}"
        table = simulate_table(cells, replicates, options.seed, options.out, command)
    except (OSError, ValueError) as error:
        print(f"coverage: {error}", file=sys.stderr)
        return 2
    print(f"Wrote {len(table['rows'])} rows to {options.out}; see them by --markdown")
    return 0


def _left_by(unfinished: Path, settings: dict[str, int]) -> list[Row]:
    table = read_json(unfinished)
    found = {key: table[key] for key in settings}
    if found != settings:
        raise ValueError(f"{unfinished} was made with {found}, not with {settings}; delete it, or give the same")
    rows: list[Row] = table["rows"]
    return rows


def _write(table: dict[str, Any], path: Path) -> None:
    """Write atomically, one row a line, so that versions of the table can be compared."""
    rows = ",\n".join("  " + json.dumps(row) for row in table["rows"])
    head = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in table.items() if key != "rows")
    write_text(path, f'{{\n{head},\n "rows": [\n{rows}\n ]\n}}\n')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--replicates", type=int, default=500, help="data sets for each cell (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another table (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=TABLE, help="the table (default: the one that intervals read)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="the smallest sizes with few replicates, as a trial")
    what.add_argument("--markdown", action="store_true", help="print the table, simulate nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
