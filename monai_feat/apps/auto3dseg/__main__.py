# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Train Auto3DSeg's ensemble on the clips of a datalist, and segment those that are held out.

    python -m monai_feat.apps.auto3dseg phantoms/datalist.json --out work
    python -m monai_feat.apps.auto3dseg phantoms/datalist.json --out work --set max_steps=500 --set network=clip

The same command goes on where it was stopped. The settings are those of SegmentationSettings, described in
docs/segmentation.md. Exit codes: 0 done, 2 not done, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.auto3dseg.runner import make_runner
from monai_feat.apps.auto3dseg.settings import SegmentationSettings
from monai_feat.apps.console import setting

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = dict(options.settings)
        SegmentationSettings.from_dict(settings)
        runner = make_runner(options.datalist, options.out, settings, options.dataroot, options.modality)
        if options.best is not None:
            runner.set_ensemble_method("AlgoEnsembleBestN", n_best=options.best)
        runner.run()
    except (OSError, ValueError, RuntimeError) as error:
        print(f"auto3dseg: {error}", file=sys.stderr)
        return 2
    print(f"Scores of the folds: {Path(options.out) / 'vidseg_*' / 'progress.yaml'};")
    print(f"masks of the held-out clips: {Path(options.out) / 'ensemble_output'}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monai_feat.apps.auto3dseg",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("datalist", help="JSON with training clips in folds, and testing clips")
    parser.add_argument("--out", required=True, help="folder of everything that is made")
    parser.add_argument("--dataroot", help="what its paths are relative to (default: its folder)")
    parser.add_argument("--modality", default="video", help="any word (default: %(default)s)")
    parser.add_argument("--best", type=int, metavar="N", help="ensemble of the N best folds (default: of all)")
    parser.add_argument(
        "--set", dest="settings", type=setting, action="append", default=[], metavar="NAME=VALUE", help="a setting"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
