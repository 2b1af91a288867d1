# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate how often intervals hold the truth and verdicts are right, and write the table that reports cite.

    python -m downstream.simulation                               # minutes
    python -m downstream.simulation --markdown                    # the tables of docs/downstream_statistics.md
    python -m downstream.simulation --studies 20 --out try.json

Exit codes: 0 written or printed, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monai_feat.files import read_json, write_text

from ..statistics.simulated import TABLE
from .intervals import CELLS, simulate_intervals
from .text import markdown
from .verdicts import POWER_DESIGNS, simulate_verdicts

__all__ = ["main", "simulate_table"]


def simulate_table(studies: int, seed: int, progress: bool = True) -> dict[str, Any]:
    """Simulate all cells; the same numbers give the same table."""
    command = f"python -m downstream.simulation --studies {studies} --seed {seed}"
    verdicts = [row for design in POWER_DESIGNS for row in simulate_verdicts(design, studies, seed)]
    with tqdm(CELLS, desc="intervals", disable=not progress) as bar:  # closed before anything is said of an error
        rows = [simulate_intervals(design, spread, law, studies, seed) for design, spread, law in bar]
    facts = {"command": command, "date": date.today().isoformat(), "studies": studies, "seed": seed}
    return {**facts, "intervals": rows, "verdicts": verdicts}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.markdown:
            print(markdown(read_json(options.out)))
            return 0
        table = simulate_table(options.studies, options.seed)
        write_text(options.out, _one_row_a_line(table) + "\n")
    except (OSError, ValueError) as error:
        print(f"simulation: {error}", file=sys.stderr)
        return 2
    print(f"Wrote {options.out}; see it by --markdown")
    return 0


def _one_row_a_line(table: dict[str, Any]) -> str:
    """Return JSON with one row a line, so that versions of the table can be compared."""
    parts = []
    for key, value in table.items():
        rows = ",\n".join(f"  {json.dumps(row)}" for row in value) if isinstance(value, list) else ""
        parts.append(f" {json.dumps(key)}: " + (f"[\n{rows}\n ]" if rows else json.dumps(value)))
    return "{\n" + ",\n".join(parts) + "\n}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m downstream.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--studies", type=int, default=4000, help="studies of each cell (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another table (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=TABLE, help="the table (default: the one that reports cite)")
    parser.add_argument("--markdown", action="store_true", help="print the table, simulate nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
