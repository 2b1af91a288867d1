# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Train a bundle on your clips within a time: its frame autoencoder, then FEAT; from the shipped weights or nothing.

    monai-feat train clips --modality endoscopy --minutes 60 --out run
    monai-feat train datalist.json --minutes 60 --out run          # its training clips; those held out validate
    monai-feat train stills.json --label-channels 2 --out run      # images with masks of two classes, one background
    monai-feat train clips --from-scratch --minutes 600 --out run

The bundle commands that do it are printed, to be taken further: sizes, several GPUs, conditions and more are keys of
their configs. A training that was stopped goes on with the same command; so does one that has ended, given more
minutes. Exit codes: 0 trained, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from monai_feat.apps.console import run_plainly
from monai_feat.apps.next_step import next_step, sample_command
from monai_feat.apps.recipe import make_recipe, training_seconds
from monai_feat.data import PHANTOMS

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    return run_plainly("train", lambda: _train(options))


def _train(options: argparse.Namespace) -> None:
    seconds = training_seconds(options.minutes)
    recipe = make_recipe(options.data, options.modality, options.out, options.from_scratch, seconds)
    recipe = replace(recipe, label_channels=options.label_channels)
    recipe.claim()
    print(next_step([*recipe.train(), *recipe.sheets()], sample_command(options.out)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="a folder of clips, a datalist (datalist.json, datalist.json:fold0) or phantom:NAME",
    )
    parser.add_argument("--modality", choices=sorted(PHANTOMS), help="which bundle (default: guessed from the colours)")
    parser.add_argument("--from-scratch", action="store_true", help="start without the shipped weights")
    labels = "classes of the masks, the background among them; what is sampled then has masks (default: no masks)"
    parser.add_argument("--label-channels", type=int, default=0, metavar="K", help=labels)
    parser.add_argument("--minutes", type=float, default=60.0, metavar="M", help="time in all (default: %(default)g)")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="where weights, curves and logs go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
