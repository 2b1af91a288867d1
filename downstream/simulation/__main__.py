# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate how often intervals hold the truth and verdicts are right, and write the table that reports cite.

    python -m downstream.simulation --replicates 1000             # minutes
    python -m downstream.simulation --markdown                    # the tables of docs/downstream_statistics.md
    python -m downstream.simulation --replicates 20 --out try.json

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

from ..statistics.simulated_coverage import TABLE
from .interval_trials import CELLS, simulate_coverage
from .studies import STUDIES, simulate_studies
from .text import markdown

__all__ = ["main", "simulate_table"]


def simulate_table(replicates: int, seed: int, progress: bool = True) -> dict[str, Any]:
    """Simulate all cells and studies; the same numbers give the same table."""
    command = f"python -m downstream.simulation --replicates {replicates} --seed {seed}"
    with tqdm(total=replicates * len(STUDIES), desc="studies", disable=not progress) as bar:
        studies = {name: simulate_studies(size, replicates, seed, bar.update) for name, size in STUDIES.items()}
    with tqdm(CELLS, desc="intervals", disable=not progress) as bar:  # closed before anything is said of an error
        rows = [simulate_coverage(design, spread, law, replicates, seed) for design, spread, law in bar]
    facts = {"command": command, "date": date.today().isoformat(), "replicates": replicates, "seed": seed}
    return {**facts, "coverage": rows, "studies": studies}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.markdown:
            print(markdown(read_json(options.out)))
            return 0
        table = simulate_table(options.replicates, options.seed)
        write_text(options.out, _one_row_a_line(table) + "\n")
    except (OSError, ValueError) as error:
        print(f"simulation: {error}", file=sys.stderr)
        return 2
    print(f"Wrote {options.out}; see it by --markdown")
    return 0


def _one_row_a_line(table: dict[str, Any]) -> str:
    """Return JSON with one row a line, so that versions of the table can be compared."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in table["coverage"])
    studies = ",\n".join(f"  {json.dumps(name)}: {json.dumps(study)}" for name, study in table["studies"].items())
    facts = {key: value for key, value in table.items() if key not in ("coverage", "studies")}
    head = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items())
    return f'{{\n{head},\n "coverage": [\n{rows}\n ],\n "studies": {{\n{studies}\n }}\n}}'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m downstream.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--replicates", type=int, default=1000, help="studies of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another table (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=TABLE, help="the table (default: the one that reports cite)")
    parser.add_argument("--markdown", action="store_true", help="print the table, simulate nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
