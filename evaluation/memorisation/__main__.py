# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
r"""Simulate the memorisation gate: its false-positive rates, and its recall of each kind of planted copy.

    python -m evaluation.memorisation --out gate
    python -m evaluation.memorisation --out gate --source phantom:ultrasound
    python -m evaluation.memorisation --out gate --source clips.csv --group-column patient --only lung/

Phantoms have as many patients as are asked for. Of clips of your own, patients are split anew in every repeat: on some
the gate is told that the model was trained, some calibrate it, and into clips of the rest parts are copied. There every
clip counts for itself, so that few patients suffice, and false positives are counted on patients apart.

Prints one table for each source and writes ``memorisation.json``. Exit codes: 0 done, 2 not done, with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from tqdm import tqdm

from monai_feat.data import PHANTOMS
from monai_feat.data.source_names import PHANTOM_PREFIX
from monai_feat.files import write_text

from .casts import NUM_PLANTED, Patients, phantom_cast, read_patients, real_cast
from .scenes import Design
from .simulation import Counts, plant_copies, split_clean

__all__ = ["main"]

TITLES = {"clip": "p ≤ 5 %", "gate": "gate fails", "one": "named, one planted", "many": "named, 16 planted"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _check(options)
        sources = [_source(name, options) for name in options.source or [PHANTOM_PREFIX + kind for kind in PHANTOMS]]
        options.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        print(f"memorisation: {error}", file=sys.stderr)
        return 2
    studies = [_study(source, options) for source in sources]
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


def _source(name: str, options: argparse.Namespace) -> Design | _Clips:
    kind = name.removeprefix(PHANTOM_PREFIX)
    if kind == name:
        return _Clips(name, read_patients(name, options.only, options.group_column))
    if kind not in PHANTOMS:
        known = ", ".join(PHANTOM_PREFIX + known for known in PHANTOMS)
        raise ValueError(f"unknown phantom {name!r}; the known ones are {known}")
    return Design(kind, options.num_train, options.num_held_out, options.num_fake)


@dataclass(frozen=True)
class _Clips:
    """Clips of one's own, by patient."""

    source: str
    patients: Patients


def _study(source: Design | _Clips, options: argparse.Namespace) -> dict[str, Any]:
    bar = tqdm(range(1, options.repeats + 1), "gates with copies", unit="repeat")
    if isinstance(source, Design):
        clean = split_clean(source, options.splits, options.seed)
        repeats = [plant_copies(phantom_cast(source, options.seed + i), options.seed + i) for i in bar]
        known: dict[str, Any] = {"design": asdict(source), "splits": options.splits}
        title = _phantom_title(source, options.splits)
    else:
        clean = []
        repeats = [plant_copies(real_cast(source.patients, options.seed + i), options.seed + i) for i in bar]
        known = {"source": source.source, "patients": len(source.patients)}
        title = f"{source.source}: clips of {len(source.patients)} patients, split anew in each repeat"
    rows = _summarise([*clean, *repeats])
    print(_table(f"{title}; {options.repeats} repeats with copies", rows))
    return known | {"repeats": options.repeats, "rows": rows}


def _phantom_title(design: Design, splits: int) -> str:
    return (
        f"{design.kind} phantoms: {design.num_fake} synthetic, {design.num_train} training and {design.num_held_out} "
        f"held-out clips, {design.recordings} of each patient; {splits} splits without copies"
    )


def _summarise(repeats: Sequence[Counts]) -> list[dict[str, Any]]:
    """Add up repeats; Wilson's interval takes all trials for independent, the spread is that between repeats.

    What happened in some repeats only is added up over these.
    """
    rows = []
    for clips, event in {key: None for counts in repeats for key in counts}:
        trials_of = [counts[clips, event] for counts in repeats if (clips, event) in counts]
        found, trials = np.sum(trials_of, axis=0).tolist()
        low, high = stats.binomtest(found, trials).proportion_ci(0.95, method="wilson")
        rates = [found_here / trials_here for found_here, trials_here in trials_of]
        rows.append(
            {"clips": clips, "event": event, "found": found, "trials": trials, "rate": found / trials}
            | {"low": float(low), "high": float(high), "spread": float(np.std(rates))}
        )
    return rows


def _table(title: str, rows: Sequence[dict[str, Any]]) -> str:
    cells = {(row["clips"], row["event"]): _cell(row) for row in rows}
    kinds = dict.fromkeys(row["clips"] for row in rows)
    lines = [
        title,
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
    source = "phantom:endoscopy, phantom:ultrasound (default: both), a folder, a datalist, or a table of clips"
    parser.add_argument("--source", action="append", metavar="SOURCE", help=source)
    parser.add_argument("--group-column", metavar="NAME", help="column of a table that names the patient")
    parser.add_argument("--only", default="", metavar="REGEX", help="leave out clips in whose path this is not found")
    parser.add_argument("--splits", type=int, default=50, help="gates on clean phantoms (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="sets of planted copies (default: %(default)s)")
    parser.add_argument("--num-train", type=int, default=128, help="training clips (default: %(default)s)")
    parser.add_argument("--num-held-out", type=int, default=64, help="held-out clips (default: %(default)s)")
    parser.add_argument("--num-fake", type=int, default=64, help="synthetic clips (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other patients")
    return parser


if __name__ == "__main__":
    sys.exit(main())
