# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure whether clips show what was asked for, on procedural clips, from a training to a table.

It trains, samples, and writes ``report.md``; when it was stopped, it goes on with the seed that it was at:

    python -m experiments.faithfulness --condition ejection_fraction --out runs/ejection_fraction
    python -m experiments.faithfulness --condition first_frames mask --seeds 0 1 2 --out runs/frames_and_masks
    python -m experiments.faithfulness --condition mask --out runs/shipped \
        --network-weights bundles/feat_ultrasound/models/feat.safetensors
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from experiments.faithfulness.questions import QUESTIONS
from experiments.faithfulness.study import Budget, describe, run_study


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    usual = Budget()
    parser = argparse.ArgumentParser(prog="python -m experiments.faithfulness", description="Measure faithfulness.")
    parser.add_argument(
        "--condition",
        required=True,
        nargs="+",
        choices=list(QUESTIONS),
        help="conditions to ask for, all of one modality",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--training-steps", type=int, default=usual.training_steps, help="optimiser steps of the network, for each seed"
    )
    parser.add_argument(
        "--segmenter-steps", type=int, default=usual.segmenter_steps, help="optimiser steps of the segmenter"
    )
    parser.add_argument("--training-clips", type=int, default=usual.num_training_clips)
    parser.add_argument(
        "--clips", type=int, default=usual.num_clips, help="number of held-out clips, and of sampled clips"
    )
    parser.add_argument("--steps", type=int, default=usual.num_sampling_steps, help="steps of the sampler")
    parser.add_argument(
        "--guidance", type=float, nargs="+", default=usual.guidance_scales, help="guidance scales to measure"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=usual.seeds, help="seeds, with one training for each")
    parser.add_argument("--from-scratch", action="store_true", help="start without the shipped weights")
    parser.add_argument(
        "--network-weights", type=Path, help="weights of FEAT to ask, such as the shipped ones, instead of a training"
    )
    options = parser.parse_args(arguments)
    budget = Budget(
        training_steps=options.training_steps,
        segmenter_steps=options.segmenter_steps,
        num_training_clips=options.training_clips,
        num_clips=options.clips,
        num_sampling_steps=options.steps,
        guidance_scales=tuple(options.guidance),
        seeds=tuple(options.seeds),
    )
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    questions = {name: QUESTIONS[name] for name in options.condition}
    if len({question.modality for question in questions.values()}) > 1:
        parser.error(f"{', '.join(questions)} are of different modalities; ask for those of one at a time")
    tables = run_study(questions, options.out, budget, options.from_scratch, options.network_weights)
    print("\n".join(describe(tables)))
    print(f"\nLook at {options.out / 'report.md'} and the contact sheets.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
