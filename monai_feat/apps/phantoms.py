# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Write a data set of procedural clips: mp4, exact masks as NIfTI, a table of exact attributes, a datalist.

    monai-feat phantoms --kind ultrasound --out phantoms --num-clips 40 --patients 10

The same arguments give the same clips, and go on where they were stopped. What is in them is described in
docs/phantoms.md. Exit codes: 0 written, 2 not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.next_step import doctor_command, next_step
from monai_feat.data.phantoms import PHANTOMS
from monai_feat.data.phantoms.collection import write_phantoms

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        datalist = write_phantoms(
            options.kind,
            options.out,
            options.num_clips,
            options.patients,
            options.size if len(options.size) == 2 else options.size[0],
            options.num_frames,
            options.folds,
            options.test_share,
            options.seed,
            progress=not options.quiet,
        )
    except (OSError, ValueError) as error:
        print(f"phantoms: {error}", file=sys.stderr)
        return 2
    if not options.quiet:
        print(f"{len(datalist.training)} clips for training and {len(datalist.testing)} held out")
        listed = Path(options.out) / "datalist.json"
        print(next_step([Path(options.out) / "attributes.csv", listed], doctor_command(listed)))
    return 0


def _size(text: str) -> list[int]:
    sides = [int(side) for side in text.split(",")]
    if len(sides) > 2:
        raise ValueError(text)
    return sides


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat phantoms",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kind", required=True, choices=sorted(PHANTOMS), help="what to render")
    parser.add_argument("--out", required=True, help="a new folder, or one that the same arguments began")
    parser.add_argument("--num-clips", type=int, default=40, help="clips in all (default: %(default)s)")
    parser.add_argument("--patients", type=int, default=10, help="patients they are of (default: %(default)s)")
    parser.add_argument("--size", type=_size, default=[112], metavar="N or H,W", help="pixels, even (default: 112)")
    parser.add_argument("--num-frames", type=int, default=32, help="frames of each clip (default: %(default)s)")
    parser.add_argument("--folds", type=int, help="folds of the training clips (default: 5, or fewer for few patients)")
    parser.add_argument(
        "--test-share", type=float, help="share to hold out (default: 0.2; 0 for fewer than 5 patients)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other patients (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but what went wrong")
    return parser


if __name__ == "__main__":
    sys.exit(main())
