# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sample clips from the weights of a bundle: mp4 files, a contact sheet, a manifest, and a record of what made them.

    monai-feat sample feat_ultrasound --num-clips 2 --seed 7 --out samples
    monai-feat sample run --num-clips 64 --out samples                              # what monai-feat train has trained
    monai-feat sample feat_endoscopy --ask label=phantom:endoscopy --out labelled   # polyps where masks have them
    monai-feat sample feat_ultrasound --num-clips 2 --set output_format=nifti --set num_frames=64 --set window=16

The same arguments give the same clips. Clips that are there already are not made again, so that a call that was stopped
goes on.
Exit codes: 0 sampled, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_feat.apps.console import run_plainly, setting
from monai_feat.apps.next_step import evaluate_command, next_step
from monai_feat.apps.recipe import is_training, trained_weights
from monai_feat.bundle import find_bundle, sample_bundle, training_source
from monai_feat.checkpoints import read_description
from monai_feat.records import RECORD

__all__ = ["main"]

GUIDANCE = 2.0  # where something is asked; docs/conditioning.md compares scales


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    return run_plainly("sample", lambda: _sample(options))


def _sample(options: argparse.Namespace) -> None:
    if options.num_clips < 1:
        raise ValueError(f"--num-clips is how many clips to sample, and must be at least 1; got {options.num_clips}")
    bundle, weights = _bundle_and_weights(options.weights)
    asked = {"prompts": dict(options.ask), "guidance_scale": GUIDANCE} if options.ask else {}
    overrides = {**weights, **asked, "seed": options.seed, **dict(options.settings)}
    clips = sample_bundle(bundle, options.out, options.num_clips, **overrides)
    print(f"{len(clips)} clips of {options.weights}; {options.out / RECORD} says what made them.")
    written = [options.out, *sorted(options.out.glob("contact_sheet.png"))]
    print(next_step(written, evaluate_command(_source(bundle, overrides), options.out)))


def _bundle_and_weights(weights: str) -> tuple[Path, dict[str, str | Path]]:
    """Return a bundle, and what of its config a folder that monai-feat train wrote replaces."""
    trained = trained_weights(Path(weights))
    if not is_training(Path(weights)) and not any(path.is_file() for path in trained.values()):
        return find_bundle(weights), {}
    if missing := [path for path in trained.values() if not path.is_file()]:
        raise FileNotFoundError(
            f"{missing[0]}: no such file; {weights} was not trained to its end: "
            "run its monai-feat train again, which goes on"
        )
    described = read_description(trained["network_weights"])
    modality = described.clips.modality if described and described.clips else None
    return find_bundle(f"feat_{modality}"), {**trained, "on_bad": "skip"}


def _source(bundle: Path, overrides: Mapping[str, Any]) -> str:
    """Return what the weights were trained on."""
    network = overrides.get("network_weights", bundle / "models" / "feat.safetensors")
    procedural = f"phantom:{bundle.name.removeprefix('feat_')}"
    return str(overrides.get("dataset_dir", training_source(network, procedural)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat sample", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = "folder that monai-feat train wrote; or a bundle: its folder, or the name of a shipped one"
    parser.add_argument("weights", metavar="WEIGHTS", help=where)
    parser.add_argument("--num-clips", type=int, default=4, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other clips (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where they go")
    parser.add_argument(
        "--ask",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what clips shall be, as far as the weights can be asked for it: a number, or several, [0.3, 0.6], that "
        "take turns; for masks, a file or a source of clips that have them, and clips come with these masks. Clips go "
        f"{GUIDANCE:g} times as far towards it as the network by itself (--set guidance_scale=1)",
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
