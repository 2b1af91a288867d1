# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sample clips from the weights of a bundle: mp4 files, a contact sheet, and a manifest that says what made them.

    monai-feat sample feat_ultrasound --num-clips 2 --seed 7 --out samples
    monai-feat sample feat_endoscopy --trained run --num-clips 64 --out samples     # weights of monai-feat train
    monai-feat sample feat_ultrasound --num-clips 2 --set output_format=nifti --set num_frames=64 --set window=16

The same arguments give the same clips. Clips that are there already are not made again, so that a call that was stopped
goes on.
Exit codes: 0 sampled, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.console import run_plainly, setting
from monai_feat.apps.recipe import trained_weights
from monai_feat.bundle import find_bundle, sample_bundle

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    return run_plainly("sample", lambda: _sample(options))


def _sample(options: argparse.Namespace) -> None:
    bundle = find_bundle(options.bundle)
    overrides = {**_weights(options.trained), "seed": options.seed, **dict(options.settings)}
    clips = sample_bundle(bundle, options.out, options.num_clips, **overrides)
    print(f"Wrote {len(clips)} clips of {bundle} to {options.out}; its manifest.json says what made them.")
    print(f"Next: monai-feat evaluate REAL {shlex.quote(str(options.out))} --out report, REAL being real clips")


def _weights(run: Path | None) -> dict[str, Path]:
    weights = {} if run is None else trained_weights(run)
    if missing := [path for path in weights.values() if not path.is_file()]:
        raise FileNotFoundError(f"{missing[0]}: no such file; expected a folder that monai-feat train wrote, got {run}")
    return weights


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat sample", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="name of a shipped bundle, or a folder")
    parser.add_argument("--num-clips", type=int, default=4, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other clips (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where they go")
    parser.add_argument(
        "--trained", type=Path, metavar="RUN", help="folder that monai-feat train wrote, for its weights"
    )
    parser.add_argument(
        "--set",
        dest="settings",
        type=setting,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other key of the bundle's inference.json; a wrong one lists all",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
