# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
r"""Prove membership inference where the truth is known.

    python -m evaluation.privacy --out privacy

Simulates attacks on errors of a known law, by patients and by what the weights tell. Then trains a small network in two
ways, on few phantoms over and over and on endless ones, and attacks both. Prints Markdown and writes ``privacy.json``.
To attack weights of your own: ``monai-feat evaluate REAL FAKE --held-out HELD --generator WEIGHTS``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monai_feat.files import write_text

from .findings import Membership
from .simulation import DESIGNS, LEAKS, RateCount, simulate
from .trainings import TRAININGS, TrainingPlan, attack_training

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _check(options)
        options.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        print(f"privacy: {error}", file=sys.stderr)
        return 2
    simulated = list(_simulations(options))
    trained = list(_trainings(options))
    file = options.out / "privacy.json"
    found = {"seed": options.seed, "simulated": simulated, "trained": trained}
    write_text(file, json.dumps(found, indent=2) + "\n")
    print(f"Wrote {file}")
    return 0


def _check(options: argparse.Namespace) -> None:
    if min(options.replicates, options.steps, options.seeds) < 1:
        given = f"{options.replicates}, {options.steps} and {options.seeds}"
        raise ValueError(f"expected --replicates, --steps and --seeds >= 1, got {given}")


def _simulations(options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    print(
        "| patients | the weights tell | said so | found at 1 % | at 5 % | true | interval holds it, at 1 % | at 5 % |"
    )
    print(f"|{'---|' * 8}")
    for design, patients in DESIGNS.items():
        for leak, told in LEAKS.items():
            rates = simulate(patients, told, options.replicates, options.seed)
            print(f"| {design} | {leak} | {_cells(rates)} |", flush=True)
            yield {"design": design, "leak": leak, **asdict(rates)}


def _cells(rates: RateCount) -> str:
    true = f"{rates.true[0]:.3f}, {rates.true[1]:.3f}"
    found, covered = rates.found, rates.covered
    numbers = [rates.told, *found, true, *covered]
    return " | ".join(
        "—" if number != number else str(number) if number is true else f"{number:.3f}" for number in numbers
    )


def _trainings(options: argparse.Namespace) -> Iterable[dict[str, Any]]:
    plan = TrainingPlan(steps=options.steps)
    print("\n| trained on | seed | p | found, clips at 1 % | at 5 % | order by error |\n|---|---|---|---|---|---|")
    for training in TRAININGS:
        for seed in range(options.seed, options.seed + options.seeds):
            found = attack_training(plan, training, seed, progress=True)
            print(f"| {training} | {seed} | {found.p_value:.2g} | {_told(found)} |", flush=True)
            yield {"training": training, "training_seed": seed, **asdict(found)}


def _told(found: Membership) -> str:
    rates = [
        f"{rate.value:.0%} ({rate.interval[0]:.0%} to {rate.interval[1]:.0%})"
        for rate in found.rates
        if rate.unit == "clip" and rate.value is not None and rate.interval is not None
    ]
    orders = ", ".join(f"{order:.2f}" for order in found.by_error.values())
    return " | ".join([*rates, orders])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.privacy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for privacy.json")
    parser.add_argument("--replicates", type=int, default=200, help="attacks of each cell (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=TrainingPlan.steps, help="of training (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
