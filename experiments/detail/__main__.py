# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure whether the clips of a bundle move and hold detail, and how far its network is from a linear filter.

It writes ``report.md``, ``report.json``, ``detail.png`` and ``contact_sheet.png``:

    python -m experiments.detail --modality endoscopy --out runs/detail
    python -m experiments.detail --out runs/detail --network-weights runs/train/feat.safetensors --clips 16
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from experiments.detail.report import describe, write_report
from experiments.detail.study import Plan, run_study
from monai_feat.data import PHANTOMS

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"


def parse_arguments(arguments: Sequence[str] | None = None) -> tuple[Plan, Path]:
    """Read the command line: what to measure, and where results go."""
    parser = argparse.ArgumentParser(prog="python -m experiments.detail", description="Do clips move and hold detail?")
    parser.add_argument("--modality", choices=sorted(PHANTOMS), default="endoscopy", help="bundle to measure")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--overlay", type=Path, nargs="*", default=(), help="overlays of inference.json")
    parser.add_argument("--autoencoder-weights", type=Path, help="weights to use instead of the bundle's")
    parser.add_argument("--network-weights", type=Path, help="weights to use instead of the bundle's")
    parser.add_argument("--steps", type=int, help="steps of the sampler")
    parser.add_argument("--autoguidance", type=float, help="scale of autoguidance; 1 for none")
    parser.add_argument("--clips", type=int, default=48, help="clips to sample for each seed")
    parser.add_argument("--references", type=int, default=96, help="real clips to compare with")
    parser.add_argument("--known", type=int, default=160, help="clips to fit the linear filter to")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2), help="seeds of the noise")
    options = parser.parse_args(arguments)
    plan = Plan(
        modality=options.modality,
        bundle=BUNDLES / f"feat_{options.modality}",
        overlays=tuple(options.overlay),
        autoencoder_weights=options.autoencoder_weights,
        network_weights=options.network_weights,
        num_steps=options.steps,
        autoguidance_scale=options.autoguidance,
        num_clips=options.clips,
        num_references=options.references,
        num_known=options.known,
        seeds=tuple(options.seeds),
    )
    return plan, options.out


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    plan, out = parse_arguments(arguments)
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    result = run_study(plan)
    write_report(result, plan, out)
    print("\n" + "\n".join(describe(result)))
    print(f"\nLook at {out / 'contact_sheet.png'} and {out / 'detail.png'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
