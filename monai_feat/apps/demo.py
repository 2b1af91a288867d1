# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo: sample clips from the shipped weights, train on, sample again, and show what changed.

It only runs bundles, and prints each command before it runs it, so that anyone can take it from there:

    python -m monai_feat.apps.demo                                  # procedural clips
    python -m monai_feat.apps.demo --data FOLDER                    # your clips
    python -m monai_feat.apps.demo --data FOLDER --from-scratch     # without the shipped weights
"""

from __future__ import annotations

import argparse
import logging
import math
import shlex
import shutil
import statistics
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from monai.bundle import ConfigParser, run
from torch import Tensor

from monai_feat.checkpoints import CheckpointError, load_weights
from monai_feat.data import PHANTOMS, VideoReadError, find_clips, open_clip, read_video
from monai_feat.handlers import NonFiniteGradientError
from monai_feat.transforms.functional import to_uint8
from monai_feat.visualize import read_tensorboard_scalars, save_contact_sheet, save_loss_curves

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
PLAIN_ERRORS = (CheckpointError, FileNotFoundError, NonFiniteGradientError, VideoReadError)
STEPS = ("before", "autoencoder", "feat", "after")  # folders below the output
NUM_SHOWN = 4
AUTOENCODER_SECONDS, FEAT_SECONDS = 90, 210
FINE_TUNING_RATE = 0.0003
# Mean spread of the colour channels, in grey levels; coloured marks on a scanner's screen give up to 15.
GREY_TOLERANCE = 20.0


class Look(NamedTuple):
    """What a folder of clips seems to hold."""

    modality: str
    only_stills: bool


@dataclass(frozen=True)
class Demo:
    """What one run of the demo works on.

    Attributes:
        modality: which bundle.
        source: a folder of clips, or a phantom.
        output: where results go.
        from_scratch: whether to start without the shipped weights.
        num_frames: frames of a clip; None for as many as the configs say.
    """

    modality: str
    source: str
    output: Path
    from_scratch: bool
    num_frames: int | None = None

    @property
    def bundle(self) -> Path:
        """Folder of the bundle."""
        return BUNDLES / f"feat_{self.modality}"

    @property
    def is_phantom(self) -> bool:
        """Whether clips are procedural."""
        return self.source.startswith("phantom:")

    def weights(self, name: str) -> Path:
        """Return the path of shipped weights."""
        return self.bundle / "models" / f"{name}.safetensors"

    @property
    def on_bad(self) -> str | None:
        """What to do about files that cannot be read: leave them out, and name them; None where there are no files."""
        return None if self.is_phantom else "skip"

    def start_weights(self, name: str) -> str | None:
        """Return the path of the weights that training starts from, if any."""
        return None if self.from_scratch else str(self.weights(name))

    def run(self, config: str, *overlays: str, **overrides: Any) -> None:
        """Print a bundle command, then run it in this process; values of None are left out."""
        options = {
            "bundle_root": str(self.bundle),
            **{key: value for key, value in overrides.items() if value is not None},
        }
        files = [str(self.bundle / "configs" / f"{name}.json") for name in (config, *overlays)]
        config_file = files if overlays else files[0]
        arguments = [
            f"--{key} {shlex.quote(str(value))}" for key, value in {"config_file": config_file, **options}.items()
        ]
        print(
            f"\n$ {shlex.quote(sys.executable)} -m monai.bundle run \\\n    " + " \\\n    ".join(arguments), flush=True
        )
        run(config_file=config_file, **options)


def epochs_for(num_steps: int, num_clips: int, batch_size: int) -> int:
    """Return the fewest whole epochs that make at least so many steps."""
    return math.ceil(num_steps / math.ceil(num_clips / batch_size))


def sample(demo: Demo, name: str, autoencoder: Path, network: Path) -> Path:
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


def train(demo: Demo) -> tuple[Path, Path]:
    """Train the autoencoder, then FEAT in its latent space; return the paths of their weights."""
    common = {"dataset_dir": demo.source, "seed": 1, "on_bad": demo.on_bad}
    # The shipped weights know procedural clips already; for anything else, the configs' own rates stand.
    common["learning_rate"] = FINE_TUNING_RATE if demo.is_phantom and not demo.from_scratch else None
    folder = demo.output / "autoencoder"
    demo.run(
        "train_autoencoder",
        **common,
        output_dir=str(folder),
        num_clips=600 if demo.is_phantom else 300,
        num_statistics_clips=16,
        max_seconds=AUTOENCODER_SECONDS,
        autoencoder_weights=demo.start_weights("autoencoder"),
    )
    autoencoder = folder / "autoencoder.safetensors"
    folder = demo.output / "feat"
    demo.run(
        "train",
        **common,
        output_dir=str(folder),
        num_clips=120 if demo.num_frames is None else 300,
        num_frames=demo.num_frames,
        batch_size=8,
        warmup_steps=20,
        max_epochs=1000,
        max_seconds=FEAT_SECONDS,
        val_interval=1000,
        on_short=None if demo.is_phantom else "loop",
        autoencoder_weights=str(autoencoder),
        network_weights=demo.start_weights("feat"),
    )
    return autoencoder, folder / "feat.safetensors"


def reconstruct(demo: Demo, weights: Path) -> tuple[Tensor, Tensor]:
    """Return some of the source's clips and what the autoencoder makes of them, uint8 ``(N, C, T, H, W)``."""
    config = ConfigParser()
    config.read_config(str(demo.bundle / "configs" / "inference.json"))
    overrides = {"dataset_dir": demo.source, "on_bad": demo.on_bad, "num_frames": demo.num_frames}
    config.update({key: value for key, value in overrides.items() if value is not None})
    clips = config.get_parsed_content("real_clips")
    real = torch.stack([clips[index]["image"] for index in range(min(NUM_SHOWN, len(clips)))])
    autoencoder = load_weights(config.get_parsed_content("autoencoder_def"), weights).eval()
    with torch.no_grad():
        return to_uint8(real), to_uint8(autoencoder.decode(autoencoder.encode(real)))


def read_samples(folder: Path, num_channels: int) -> Tensor:
    """Read sampled clips back, uint8 ``(N, C, T, H, W)``."""
    return torch.stack([read_video(path)[:num_channels] for path in sorted(folder.glob("clip_*.mp4"))])


def look_at(source: str, num_files: int = 9) -> Look:
    """Look at some clips of the whole folder: most are grey (ultrasound) or coloured, all are stills or they are not.

    Raises:
        FileNotFoundError: when there is no clip.
        VideoReadError: when none can be read.
    """
    paths = find_clips(source)
    spreads, lengths = [], []
    for path in paths[:: max(1, len(paths) // num_files)]:
        try:
            clip = open_clip(path)
            pixels = clip.read(start=clip.frames // 2, num_frames=1).float()  # (C, 1, H, W)
        except VideoReadError:
            continue  # reported by name when the clips are read for training
        spreads.append((pixels.amax(0) - pixels.amin(0)).mean().item())
        lengths.append(clip.frames)
    if not spreads:
        raise VideoReadError(Path(source), f"none of the {len(paths)} clips can be read")
    return Look("ultrasound" if statistics.median(spreads) < GREY_TOLERANCE else "endoscopy", max(lengths) == 1)


def show(demo: Demo) -> list[Path]:
    """Run the whole demo, and return what there is to look at."""
    started = time.monotonic()
    for step in STEPS:  # results of an earlier demo would mix with the new ones
        shutil.rmtree(demo.output / step, ignore_errors=True)
    before = None
    if not demo.from_scratch:
        before = sample(demo, "before", demo.weights("autoencoder"), demo.weights("feat"))
        print(f"\nFirst clips after {time.monotonic() - started:.0f} s: {before / 'clip_000000.mp4'}", flush=True)
    autoencoder, network = train(demo)
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


def parse_arguments(arguments: Sequence[str] | None = None) -> Demo:
    """Read the command line.

    Raises:
        FileNotFoundError: when there is no clip in the folder.
    """
    parser = argparse.ArgumentParser(description="Sample clips, train FEAT, sample again.")
    parser.add_argument("--data", help="a folder of clips, or one clip; procedural clips where it is missing")
    parser.add_argument(
        "--modality", choices=sorted(PHANTOMS), help="which bundle; guessed from the colours of your clips"
    )
    parser.add_argument("--from-scratch", action="store_true", help="start without the shipped weights")
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="where results go")
    options = parser.parse_args(arguments)
    data = str(Path(options.data).expanduser()) if options.data else None
    if data is None:
        modality = options.modality or "endoscopy"
        return Demo(modality, f"phantom:{modality}", options.out, options.from_scratch)
    look = look_at(data)
    num_frames = 1 if look.only_stills else None  # looped, stills would teach that nothing moves
    return Demo(options.modality or look.modality, data, options.out, options.from_scratch, num_frames)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; bad input ends with one line that says what is wrong."""
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    try:
        demo = parse_arguments(arguments)
        print(f"FEAT on {demo.modality} clips: {demo.source} -> {demo.output}", flush=True)
        show(demo)
    except Exception as error:
        if (reason := _reason(error)) is None:
            raise
        print(f"error: {reason}", file=sys.stderr)
        return 1
    return 0


def _reason(error: BaseException | None) -> BaseException | None:
    """Find what people can act on behind what MONAI wraps around it."""
    while error is not None and not isinstance(error, PLAIN_ERRORS):
        error = error.__cause__
    return error


if __name__ == "__main__":
    sys.exit(main())
