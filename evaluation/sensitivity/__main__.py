# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
r"""Corrupt real clips in nine ways at four levels, and tabulate which distances grow with each.

    python -m evaluation.sensitivity --out sensitivity
    python -m evaluation.sensitivity --out sensitivity --data clips --group "pat(\d+)" --size 64
    python -m evaluation.sensitivity --out sensitivity --data datalist.json --distance kernel frechet

DATA is a folder of clips, datalist.json, or phantom:NAME; clips of one patient stay together. Prints a Markdown table
for each and writes ``sensitivity.json``. Exit codes: 0 done, 2 not done, with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from monai_feat.data import PHANTOMS
from monai_feat.data.clip_listing import name_by_pattern
from monai_feat.data.source_names import PHANTOM_PREFIX
from monai_feat.files import write_text
from monai_feat.metrics.functional import Distance

from ..reading.sources import SourceOptions
from ..scoring.spaces import offline_spaces
from .answers import Answer, join_seeds, markdown_table, measure_answers
from .pools import PoolOptions, open_pool

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if min(options.seeds, options.splits) < 1 or options.num_clips < 4:
            got = f"{options.seeds}, {options.splits} and {options.num_clips}"
            raise ValueError(f"expected --seeds >= 1, --splits >= 1 and --num-clips >= 4, got {got}")
        options.out.mkdir(parents=True, exist_ok=True)
        sources = options.data or [PHANTOM_PREFIX + kind for kind in PHANTOMS]
        studies = [_study(source, options) for source in sources]
    except (OSError, ValueError) as error:
        print(f"sensitivity: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    file = options.out / "sensitivity.json"
    write_text(file, json.dumps({"studies": studies}, indent=2) + "\n")
    print(f"Wrote {file}")
    return 0


def _study(source: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print the table of one source."""
    taken = _pool_options(options)
    seeds = range(options.seed, options.seed + options.seeds)
    repeats = []
    for seed in seeds:
        pool = open_pool(source, taken, seed)
        title = f"{source}, seed {seed}" if not options.quiet else ""
        repeats.append(
            measure_answers(pool, pool.groups, offline_spaces(), options.distance, options.splits, seed, title)
        )
    answers = join_seeds(repeats)
    facts = {"data": source, "clips": len(pool), "patients": len(set(pool.groups)), "shape": list(pool[0].shape)}
    print(_headline(facts, len(seeds), options.splits), "", markdown_table(answers), "", sep="\n")
    return {**facts, "seeds": list(seeds), "splits": options.splits, "answers": [_plain(answer) for answer in answers]}


def _pool_options(options: argparse.Namespace) -> PoolOptions:
    group = None if options.group is None else name_by_pattern(options.group)
    reading = SourceOptions(num_frames=options.num_frames, stride=options.stride, group=group, on_bad=options.on_bad)
    return PoolOptions(options.num_clips, None if options.size is None else (options.size, options.size), reading)


def _headline(facts: dict[str, Any], seeds: int, splits: int) -> str:
    shape = " x ".join(map(str, facts["shape"]))
    return (
        f"{facts['data']}: {facts['clips']} clips {shape} of {facts['patients']} patients, {seeds} seeds, {splits} "
        "splits into halves; steps from level to level in standard deviations of the floor between splits"
    )


def _plain(answer: Answer) -> dict[str, Any]:
    return {**asdict(answer), "grew": answer.grew, "steps": answer.steps}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.sensitivity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for sensitivity.json")
    parser.add_argument("--data", action="append", help="real clips; may be repeated (default: phantoms of each kind)")
    parser.add_argument(
        "--distance",
        nargs="+",
        choices=get_args(Distance),
        default=["kernel"],
        help="distances to measure (default: kernel)",
    )
    parser.add_argument(
        "--group", metavar="REGEX", help="pattern that finds the patient in a path, such as 'pat(\\d+)'"
    )
    parser.add_argument("--num-clips", type=int, default=32, help="clips to corrupt (default: %(default)s)")
    parser.add_argument("--num-frames", type=int, default=16, help="frames of a clip (default: %(default)s)")
    parser.add_argument("--stride", type=int, default=1, help="take every n-th frame (default: %(default)s)")
    parser.add_argument("--size", type=int, help="pixels of a side (default: as found; phantoms: 64)")
    parser.add_argument(
        "--on-bad",
        choices=("error", "skip"),
        default="error",
        help="what to do with clips that are too short or cannot be read",
    )
    parser.add_argument(
        "--splits", type=int, default=8, help="splits of the patients into halves (default: %(default)s)"
    )
    parser.add_argument(
        "--seeds", type=int, default=3, help="number of repeats, each with other phantoms, windows, splits and draws"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the first repeat (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    return parser


if __name__ == "__main__":
    sys.exit(main())
