# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Train what a bundle ships, by its own configs, in a given time; the same command goes on where it was stopped.

    python -m bundles.weights --modality ultrasound
    python -m bundles.weights --feat-seconds 9000 --autoencoder-seconds 900

First the autoencoder, from the shipped one, then its decoder against a discriminator, then FEAT from nothing, or from
other weights of its shape, with the conditions that the bundle ships. Learning rates fall over the last part of the
time, so that another time gives other weights, not an unfinished training. What comes is in
``runs/weights/<modality>``, the early weights of FEAT beside the others; ``record.json`` there says in how many hours
on which machine.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser

from monai_feat.apps.recipe import Recipe
from monai_feat.checkpoints import load_checkpoint
from monai_feat.data import PHANTOMS
from monai_feat.files import write_text

__all__ = ["Plan", "main", "train_weights"]

RUNS = Path("runs/weights")
MANY = 100_000  # epochs: the time is up before
BUDGET = "@train::named_handlers::time_budget"
CHECKPOINTS = ("checkpoint_saver::save_dict", "checkpoint_loader::load_dict")
REMEMBER = {f"train::named_handlers::{part}::time_budget": BUDGET for part in CHECKPOINTS}


@dataclass(frozen=True)
class Plan:
    """What is trained, and for how long.

    Attributes:
        modality: which bundle.
        out: where results go.
        autoencoder_seconds: time of the autoencoder.
        decoder_seconds: time of its decoder after that.
        feat_seconds: time of FEAT.
        num_clips: procedural clips that FEAT is trained on.
        start: weights that FEAT starts from; None for nothing.
    """

    modality: str
    out: Path
    autoencoder_seconds: float = 360
    decoder_seconds: float = 600
    feat_seconds: float = 9000
    num_clips: int = 2000
    start: Path | None = None

    @property
    def recipe(self) -> Recipe:
        """How its bundle is run."""
        return Recipe(self.modality, f"phantom:{self.modality}", self.out, from_scratch=False)


def train_weights(plan: Plan) -> tuple[Path, Path]:
    """Train all three, or what is missing of them, and return the paths of the weights of autoencoder and FEAT.

    Raises:
        ValueError: when a channel of the autoencoder's latents is mostly noise.
    """
    whole, decoder = (plan.out / name / "autoencoder.safetensors" for name in ("autoencoder", "decoder"))
    network = plan.out / "feat" / "feat.safetensors"
    if not whole.is_file():
        _run(plan, ["train_autoencoder"], whole, plan.autoencoder_seconds, plan.recipe.weights("autoencoder"))
    _check(plan, whole)
    if not decoder.is_file():
        _run(plan, ["train_autoencoder", "adversarial", "decoder"], decoder, plan.decoder_seconds, whole)
    if not network.is_file():
        more = {"num_clips": plan.num_clips, "cache_dir": str(plan.out / "latents"), "checkpoint_interval": 100}
        _run(plan, ["train", "conditioned"], network, plan.feat_seconds, whole, network_weights=plan.start, **more)
    _record(plan)
    return decoder, network


def _run(plan: Plan, stack: Sequence[str], result: Path, seconds: float, autoencoder: Path, **options: Any) -> None:
    """Train one network for its time, or go on with it."""
    plan.recipe.run(
        *stack,
        output_dir=str(result.parent),
        max_epochs=MANY,
        max_seconds=seconds,
        autoencoder_weights=str(autoencoder),
        resume_from="last",
        **REMEMBER,
        **{name: str(value) if isinstance(value, Path) else value for name, value in options.items()},
    )


def _check(plan: Plan, weights: Path) -> None:
    """Refuse an autoencoder that wastes a channel of its latents."""
    config = ConfigParser()
    config.read_config(str(plan.recipe.bundle / "configs" / "train_autoencoder.json"))
    config.update({"bundle_root": str(plan.recipe.bundle), "autoencoder_weights": str(weights)})
    clips = config.get_parsed_content("statistics_dataset")
    config.get_parsed_content("network").eval().check_latents(clips[index]["image"][None] for index in range(16))


def _record(plan: Plan) -> None:
    """Write down what it took."""
    spent = {name: _spent(plan.out / name) for name in ("autoencoder", "decoder", "feat")}
    record = {
        "modality": plan.modality,
        "hours": {name: round(seconds / 3600, 2) for name, seconds in spent.items()},
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, "
        + (torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"),
        "torch": torch.__version__,
    }
    write_text(plan.out / "record.json", json.dumps(record, indent=2) + "\n")


def _spent(folder: Path) -> float:
    """Return the seconds that the last checkpoint of a training knows of."""
    last = max(folder.glob("checkpoints/*.pt"), key=lambda path: path.stat().st_mtime)
    return float(load_checkpoint(last)["time_budget"]["seconds"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and train."""
    usual = Plan("endoscopy", RUNS)
    parser = argparse.ArgumentParser(prog="python -m bundles.weights", description="Train what a bundle ships.")
    parser.add_argument("--modality", choices=sorted(PHANTOMS), default=usual.modality, help="which bundle")
    parser.add_argument("--out", type=Path, help="where results go; usually runs/weights/<modality>")
    parser.add_argument("--autoencoder-seconds", type=float, default=usual.autoencoder_seconds)
    parser.add_argument("--decoder-seconds", type=float, default=usual.decoder_seconds)
    parser.add_argument("--feat-seconds", type=float, default=usual.feat_seconds)
    parser.add_argument("--clips", type=int, default=usual.num_clips, help="procedural clips that FEAT is trained on")
    parser.add_argument("--start", type=Path, help="weights that FEAT starts from, of its shape; nothing where missing")
    options = parser.parse_args(arguments)
    plan = Plan(
        options.modality,
        options.out or RUNS / options.modality,
        options.autoencoder_seconds,
        options.decoder_seconds,
        options.feat_seconds,
        options.clips,
        options.start,
    )
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    for path in train_weights(plan):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
