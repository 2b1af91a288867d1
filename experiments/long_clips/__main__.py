# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sample long clips from the shipped weights in several ways, and compare how they move with real ones.

It writes ``report.md``, ``report.json`` and a contact sheet for each seed:

    python -m experiments.long_clips --out runs/long_clips
    python -m experiments.long_clips --modality endoscopy --frames 32 --seeds 0 --out runs/long_tunnels
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from experiments.long_clips.study import Budget, describe, run_study
from monai_feat.data import PHANTOMS


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    usual = Budget()
    parser = argparse.ArgumentParser(prog="python -m experiments.long_clips", description="Compare ways to long clips.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--modality", choices=sorted(PHANTOMS), default="ultrasound", help="bundle to measure")
    parser.add_argument("--frames", type=int, default=usual.num_frames, help="frames of a long clip")
    parser.add_argument("--clips", type=int, default=usual.num_clips, help="clips for each seed")
    parser.add_argument("--steps", type=int, default=usual.num_sampling_steps, help="steps of the sampler")
    parser.add_argument("--seeds", type=int, nargs="+", default=usual.seeds)
    parser.add_argument("--memory-frames", type=int, nargs="*", default=usual.memory_frames, help="lengths to measure")
    options = parser.parse_args(arguments)
    budget = Budget(
        num_frames=options.frames,
        num_clips=options.clips,
        num_sampling_steps=options.steps,
        seeds=tuple(options.seeds),
        memory_frames=tuple(options.memory_frames),
    )
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    print("\n" + "\n".join(describe(*run_study(options.modality, options.out, budget))))
    print(f"\nLook at {options.out / 'report.md'} and the contact sheets.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
