# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo: sample clips from the shipped weights, train on, sample again, and show what changed.

    monai-feat demo                                  # procedural clips
    monai-feat demo --data FOLDER                    # your clips
    monai-feat demo --data FOLDER --from-scratch     # without the shipped weights
    monai-feat demo --data FOLDER --minutes 1        # a first look; training takes five minutes by itself

It only runs bundles, and prints each command before it runs it. Exit codes: 0 done, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from torch import Tensor

from monai_feat.apps.console import run_plainly
from monai_feat.apps.next_step import sample_command
from monai_feat.apps.recipe import Recipe, make_recipe, training_seconds
from monai_feat.data import PHANTOMS, read_video
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.functional import to_uint8
from monai_feat.visualize import read_tensorboard_scalars, save_contact_sheet, save_loss_curves

__all__ = ["main"]

STEPS = ("before", "autoencoder", "feat", "after")  # folders below the output
NUM_SHOWN = 4


def sample(demo: Recipe, name: str, autoencoder: Path, network: Path) -> Path:
    """Sample a few clips with the given weights, and return their folder."""
    folder = demo.output / name
    demo.run(
        "inference",
        dataset_dir=demo.source,
        output_dir=str(folder),
        num_clips=NUM_SHOWN,
        num_frames=demo.num_frames,
        on_bad=demo.on_bad,
        autoencoder_weights=str(autoencoder),
        network_weights=str(network),
    )
    return folder


def reconstruct(demo: Recipe, weights: Path) -> tuple[Tensor, Tensor]:
    """Return some of the source's clips and what the autoencoder makes of them, uint8 ``(N, C, T, H, W)``."""
    config = ConfigParser()
    config.read_config(str(demo.bundle / "configs" / "inference.json"))
    overrides = {"dataset_dir": demo.source, "on_bad": demo.on_bad, "num_frames": demo.num_frames}
    overrides |= {"bundle_root": str(demo.bundle), "autoencoder_weights": str(weights)}
    config.update({key: value for key, value in overrides.items() if value is not None})
    clips = config.get_parsed_content("real_clips")
    real = torch.stack([clips[index]["image"] for index in range(min(NUM_SHOWN, len(clips)))])
    autoencoder = FrameAutoencoder.from_pretrained(weights)
    with torch.no_grad():
        return to_uint8(real), to_uint8(autoencoder.decode(autoencoder.encode(real)))


def read_samples(folder: Path, num_channels: int) -> Tensor:
    """Read sampled clips back, uint8 ``(N, C, T, H, W)``."""
    return torch.stack([read_video(path)[:num_channels] for path in sorted(folder.glob("clip_*.mp4"))])


def show(demo: Recipe) -> list[Path]:
    """Run the whole demo, and return what there is to look at."""
    started = time.monotonic()
    for step in STEPS:  # results of an earlier demo would mix with the new ones
        shutil.rmtree(demo.output / step, ignore_errors=True)
    before = None
    if not demo.from_scratch:
        before = sample(demo, "before", demo.weights("autoencoder"), demo.weights("feat"))
        print(f"\nFirst clips after {time.monotonic() - started:.0f} s: {before / 'clip_000000.mp4'}", flush=True)
    autoencoder, network = demo.train()
    after = sample(demo, "after", autoencoder, network)
    real, reconstructed = reconstruct(demo, autoencoder)
    rows = {"procedural" if demo.is_phantom else "real": real, "reconstructed": reconstructed}
    if before is not None:
        rows["sampled before training"] = read_samples(before, real.shape[1])
    rows["sampled after training"] = read_samples(after, real.shape[1])
    sheet, curves = demo.output / "contact_sheet.png", demo.output / "loss.png"
    save_contact_sheet(rows, sheet)
    runs = (demo.output / name / "tensorboard" for name in ("autoencoder", "feat"))
    save_loss_curves(
        {tag: points for folder in runs for tag, points in read_tensorboard_scalars(folder).items()}, curves
    )
    print(f"\nDone in {time.monotonic() - started:.0f} s. Look at:")
    results = [sheet, curves, *([before] if before else []), after]
    for path in results:
        print(f"  {path}")
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; bad input ends with one line that says what is wrong."""
    options = _parser().parse_args(arguments)
    return run_plainly("demo", lambda: _show(options))


def _show(options: argparse.Namespace) -> None:
    seconds = training_seconds(options.minutes)
    demo = make_recipe(options.data, options.modality, options.out, options.from_scratch, seconds)
    print(f"{demo.bundle.name}: {demo.source} -> {demo.output}", flush=True)
    show(demo)
    print(f"Next: {sample_command(demo.output)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a folder of clips, a datalist or one clip (default: procedural clips)")
    parser.add_argument(
        "--modality", choices=sorted(PHANTOMS), help="which bundle; guessed from the colours of your clips"
    )
    parser.add_argument("--from-scratch", action="store_true", help="start without the shipped weights")
    parser.add_argument("--minutes", type=float, default=5.0, metavar="M", help="time to train (default: %(default)g)")
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="where results go (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
