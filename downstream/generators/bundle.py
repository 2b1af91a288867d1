# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A diffusion bundle as a generator: trained on the training patients of one fold, then sampled, clips with masks.

It runs the bundle's own commands, each in a process of its own, and writes what they print to ``log.txt``.
"""

from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from monai_feat.checkpoints import load_checkpoint, save_checkpoint, widen_autoencoder
from monai_feat.data import ClipItem, Datalist, load_clip, write_datalist
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.functional import to_uint8, to_unit_range
from monai_feat.transforms.labels import join_labels, split_labels

from ..clips import write_clip
from ..study import StudyError
from .known import SYNTHETIC
from .request import Request

__all__ = ["BundleRun", "reconstruct", "sample_trained", "train_and_sample"]

FINE_TUNING_RATE, AUTOENCODER_TUNING_RATE = 0.0003, 0.001
BATCH_SIZE, SAMPLING_BATCH = 8, 16
EPOCH_STEPS = 25  # an epoch is what a kill costs, and each writes a checkpoint
_FRAME_RATE = 10.0  # Hz; nothing reads it
_LOG_LINES = 10
_ERROR = re.compile(r"[\w.]*(Error|Exception)\b.*:")  # the first of a chain is the cause


@dataclass(frozen=True)
class BundleRun:
    """The commands of a bundle for one request.

    Attributes:
        request: what is asked for.
    """

    request: Request

    @property
    def bundle(self) -> Path:
        """Folder of the bundle."""
        assert self.request.generator.bundle is not None
        return self.request.generator.bundle

    @property
    def form(self) -> dict[str, Any]:
        """The form of clips, for every config."""
        data = self.request.data
        return {
            "label_channels": data.num_classes,
            "image_channels": data.image_channels,
            "frame_size": data.frame_size,
            "seed": self.request.seed,
        }

    def run(self, config: str, **options: Any) -> None:
        """Run a config of the bundle; options of None are left out.

        Raises:
            StudyError: it failed; shows the end of what it printed.
        """
        file = self.bundle / "configs" / f"{config}.json"
        given = {"config_file": file, "bundle_root": self.bundle, **self.form, **options}
        arguments = [text for k, v in given.items() if v is not None for text in (f"--{k}", str(v))]
        command = [sys.executable, "-m", "monai.bundle", "run", *arguments]
        log = self.request.folder / "log.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        if self.request.progress:
            print(f"  bundle {self.bundle.name}: {config}; what it prints is in {log}", flush=True)
        with log.open("a", encoding="utf-8") as stream:
            print(f"$ {shlex.join(command)}", file=stream, flush=True)
            code = subprocess.run(command, cwd=self.bundle, stdout=stream, stderr=stream, check=False).returncode
        if code:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            reasons = [line for line in lines if _ERROR.match(line)] or lines
            raise StudyError(
                f"{config} of {self.bundle} ended with {code}, see {log}:\n" + "\n".join(reasons[-_LOG_LINES:])
            )


def train_and_sample(request: Request) -> list[ClipItem]:
    """Train the autoencoder and FEAT on the training clips alone, and sample.

    Training that was interrupted goes on from its latest epoch.

    Raises:
        StudyError: a command of the bundle failed.
    """
    bundle = BundleRun(request)
    source = request.folder / "datalist.json"
    write_datalist(Datalist(tuple(request.train)), source)
    common = {"dataset_dir": source, "preprocessing": "None", "batch_size": BATCH_SIZE, "resume_from": "last"}
    shipped = request.generator.start == "shipped"
    steps, clips = request.generator, len(request.train)
    if not (weights := request.folder / "autoencoder" / "autoencoder.safetensors").is_file():
        bundle.run(
            "train_autoencoder",
            **common,
            **_epochs(steps.autoencoder_steps, clips * request.data.num_frames),
            output_dir=weights.parent,
            learning_rate=AUTOENCODER_TUNING_RATE if shipped else None,
            autoencoder_weights=_widened(bundle) if shipped else None,
        )
    if not (network := request.folder / "feat" / "feat.safetensors").is_file():
        bundle.run(
            "train",
            **common,
            **_epochs(steps.feat_steps, clips),
            num_frames=request.data.num_frames,
            val_interval="None",
            output_dir=network.parent,
            learning_rate=FINE_TUNING_RATE if shipped else None,
            autoencoder_weights=weights,
            network_weights=bundle.bundle / "models" / "feat.safetensors" if shipped else None,
        )
    return _sample(bundle, weights, network, source)


def sample_trained(request: Request) -> list[ClipItem]:
    """Sample from weights that are there; who trained them has been checked, see `splits.check_generator_groups`.

    Raises:
        StudyError: the bundle's command failed.
    """
    source = request.folder / "datalist.json"
    write_datalist(Datalist(tuple(request.train)), source)
    return _sample(BundleRun(request), *_trained_weights(request), source)


@torch.no_grad()
def reconstruct(request: Request) -> list[ClipItem]:
    """Send the training clips and their masks through the generator's autoencoder."""
    weights = _trained_weights(request)[0]
    autoencoder = FrameAutoencoder.from_pretrained(weights)
    classes = request.data.num_classes
    written = []
    for i, item in enumerate(request.train):
        assert item.label is not None
        image = to_unit_range(load_clip(item.image).as_tensor())
        clip = join_labels(image, load_clip(item.label).as_tensor(), classes)[None]
        decoded, label = split_labels(autoencoder.decode(autoencoder.encode(clip))[0], classes)
        stem = request.folder / "reconstructed" / f"clip_{i:06d}"
        written.append(
            write_clip(ClipItem(stem, group=item.group, flags=SYNTHETIC), to_uint8(decoded), label, stem, _FRAME_RATE)
        )
    return written


def _trained_weights(request: Request) -> tuple[Path, Path]:
    given = request.generator
    if given.kind == "trained":
        assert given.autoencoder_weights is not None
        assert given.network_weights is not None
        return given.autoencoder_weights, given.network_weights
    folder = request.folder
    return folder / "autoencoder" / "autoencoder.safetensors", folder / "feat" / "feat.safetensors"


def _widened(bundle: BundleRun) -> Path:
    """Write the shipped autoencoder with room for masks, which it does not look at yet."""
    path = bundle.request.folder / "autoencoder_start.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    shipped = load_checkpoint(bundle.bundle / "models" / "autoencoder.safetensors")
    save_checkpoint(widen_autoencoder(shipped, bundle.request.data.num_classes), path)
    return path


def _epochs(steps: int, distinct: int) -> dict[str, int]:
    """Clips of an epoch and epochs that make so many steps; an epoch shows each of the distinct clips alike."""
    clips = distinct * max(1, round(min(steps, EPOCH_STEPS) * BATCH_SIZE / distinct))
    return {"num_clips": clips, "max_epochs": math.ceil(steps / math.ceil(clips / BATCH_SIZE))}


def _sample(bundle: BundleRun, autoencoder: Path, network: Path, source: Path) -> list[ClipItem]:
    request = bundle.request
    bundle.run(
        "inference",
        dataset_dir=source,
        preprocessing="None",
        num_frames=request.data.num_frames,
        output_dir=request.stem(0).parent,
        output_format="nifti",
        num_clips=request.num_clips,
        batch_size=SAMPLING_BATCH,
        num_sampling_steps=request.generator.sampling_steps,
        autoencoder_weights=autoencoder,
        network_weights=network,
    )
    return _sampled_items([request.stem(i) for i in range(request.num_clips)])


def _sampled_items(stems: Sequence[Path]) -> list[ClipItem]:
    files = [tuple(stem.with_name(f"{stem.name}{end}.nii.gz") for end in ("", "_label")) for stem in stems]
    if missing := [image.name for image, label in files if not (image.is_file() and label.is_file())]:
        raise StudyError(f"{stems[0].parent}: the bundle has not sampled {', '.join(missing[:_LOG_LINES])}")
    return [ClipItem(image, label, flags=SYNTHETIC) for image, label in files]
