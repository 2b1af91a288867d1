# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
r"""Simulate the memorisation gate on phantoms: its false-positive rates, and its recall of each kind of planted copy.

    python -m evaluation.memorisation --out gate
    python -m evaluation.memorisation --out gate --source phantom:ultrasound

Prints one table for each source and writes ``memorisation.json``. Exit codes: 0 done, 2 not done, with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from tqdm import tqdm

from monai_feat.data import PHANTOMS
from monai_feat.data.source_names import PHANTOM_PREFIX
from monai_feat.files import write_text

from .scenes import Design
from .simulation import NUM_PLANTED, Counts, plant_copies, split_clean

__all__ = ["main"]

TITLES = {"clip": "p ≤ 5 %", "gate": "gate fails", "one": "named, one planted", "many": "named, 16 planted"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _check(options)
        designs = [
            _design(source, options) for source in options.source or [PHANTOM_PREFIX + kind for kind in PHANTOMS]
        ]
        options.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        print(f"memorisation: {error}", file=sys.stderr)
        return 2
    studies = [_study(design, options.splits, options.repeats, options.seed) for design in designs]
    file = options.out / "memorisation.json"
    write_text(file, json.dumps({"seed": options.seed, "studies": studies}, indent=2) + "\n")
    print(f"Wrote {file}")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse sizes before the first minutes are spent on them; each patient has two recordings."""
    least = {"splits": 1, "repeats": 1, "num_train": NUM_PLANTED, "num_held_out": 2, "num_fake": 1}
    few = [name for name, number in least.items() if getattr(options, name) < number]
    if few:
        wanted = ", ".join(f"--{name.replace('_', '-')} >= {least[name]}" for name in few)
        raise ValueError(f"expected {wanted}; got {', '.join(str(getattr(options, name)) for name in few)}")


def _design(source: str, options: argparse.Namespace) -> Design:
    kind = source.removeprefix(PHANTOM_PREFIX)
    if kind not in PHANTOMS or kind == source:
        known = ", ".join(PHANTOM_PREFIX + name for name in PHANTOMS)
        raise ValueError(f"unknown source {source!r}; copies can be planted in {known}")
    return Design(kind, options.num_train, options.num_held_out, options.num_fake)


def _study(design: Design, splits: int, repeats: int, seed: int) -> dict[str, Any]:
    rows = _summarise(split_clean(design, splits, seed))
    bar = tqdm(range(1, repeats + 1), desc=f"{design.kind}: gates with copies", unit="repeat")
    rows += _summarise([plant_copies(design, seed + i) for i in bar])
    print(_table(design, splits, repeats, rows))
    return {"design": asdict(design), "splits": splits, "repeats": repeats, "rows": rows}


def _summarise(repeats: Sequence[Counts]) -> list[dict[str, Any]]:
    """Add up repeats; Wilson's interval takes all trials for independent, the spread is that between repeats."""
    rows = []
    for clips, event in repeats[0]:
        found, trials = np.sum([counts[clips, event] for counts in repeats], axis=0).tolist()
        low, high = stats.binomtest(found, trials).proportion_ci(0.95, method="wilson")
        rates = [counts[clips, event][0] / counts[clips, event][1] for counts in repeats]
        rows.append(
            {"clips": clips, "event": event, "found": found, "trials": trials, "rate": found / trials}
            | {"low": float(low), "high": float(high), "spread": float(np.std(rates))}
        )
    return rows


def _table(design: Design, splits: int, repeats: int, rows: Sequence[dict[str, Any]]) -> str:
    cells = {(row["clips"], row["event"]): _cell(row) for row in rows}
    kinds = dict.fromkeys(row["clips"] for row in rows)
    lines = [
        f"{design.kind} phantoms: {design.num_fake} synthetic, {design.num_train} training and {design.num_held_out} "
        f"held-out clips, {design.recordings} of each patient; {splits} splits without copies, {repeats} repeats with",
        "",
        f"| clips | {' | '.join(TITLES.values())} |",
        "|---" * (len(TITLES) + 1) + "|",
        *(f"| {clips} | {' | '.join(cells.get((clips, event), '') for event in TITLES)} |" for clips in kinds),
        "",
    ]
    return "\n".join(lines)


def _cell(row: dict[str, Any]) -> str:
    return f"{row['rate']:.1%} ({row['low']:.1%} to {row['high']:.1%})"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.memorisation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for memorisation.json")
    parser.add_argument("--source", action="append", help="phantom:endoscopy or phantom:ultrasound (default: both)")
    parser.add_argument("--splits", type=int, default=200, help="gates on clean clips (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="sets of planted copies (default: %(default)s)")
    parser.add_argument("--num-train", type=int, default=128, help="training clips (default: %(default)s)")
    parser.add_argument("--num-held-out", type=int, default=64, help="held-out clips (default: %(default)s)")
    parser.add_argument("--num-fake", type=int, default=64, help="synthetic clips (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other patients")
    return parser


if __name__ == "__main__":
    sys.exit(main())
