# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure the quality of a bundle's clips by sampler, number of steps and seconds.

It samples from the shipped weights, or from others, and writes ``report.md``, ``report.json`` and ``curves.png``.
Stopped, it goes on where it was:

    python -m experiments.few_steps --modality ultrasound --out runs/few_steps
    python -m experiments.few_steps --out runs/few_steps --weights diffusion.safetensors --samplers multistep ddim ddpm
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from experiments.few_steps.report import describe
from experiments.few_steps.study import Plan, run_study
from monai_feat.data import PHANTOMS
from monai_feat.inferers import SAMPLERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    usual = Plan()
    parser = argparse.ArgumentParser(
        prog="python -m experiments.few_steps", description="Measure sampling in few steps."
    )
    parser.add_argument("--modality", choices=sorted(PHANTOMS), default="ultrasound", help="bundle to measure")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=usual.samplers)
    parser.add_argument("--steps", type=int, nargs="+", default=usual.steps)
    parser.add_argument("--seeds", type=int, nargs="+", default=usual.seeds, help="seeds of the noise")
    parser.add_argument("--clips", type=int, default=usual.num_clips, help="clips to sample for each seed")
    parser.add_argument("--references", type=int, default=usual.num_references, help="real clips to compare with")
    parser.add_argument("--weights", type=Path, help="other weights than the bundle's")
    options = parser.parse_args(arguments)
    plan = Plan(
        num_clips=options.clips,
        num_references=options.references,
        samplers=tuple(options.samplers),
        steps=tuple(sorted(options.steps, reverse=True)),
        seeds=tuple(options.seeds),
        weights=options.weights,
    )
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    rows = run_study(options.modality, options.out, plan)
    print("\n" + "\n".join(describe(rows)))
    print(f"\nLook at {options.out / 'curves.png'} and {options.out / 'report.md'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
