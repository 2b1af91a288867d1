# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of a diffusion bundle, as the generators of a study give them: each in a process of its own."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_feat.checkpoints import load_checkpoint, save_checkpoint, widen_autoencoder
from monai_feat.data import Datalist, write_datalist

from ..study import StudyError
from .request import Request

__all__ = ["BundleRun"]

FINE_TUNING_RATE, AUTOENCODER_TUNING_RATE = 0.0003, 0.001
BATCH_SIZE, SAMPLING_BATCH = 8, 16
EPOCH_STEPS = 25  # an epoch is what a kill costs, and each writes a checkpoint
LOG_LINES = 10
_ERROR = re.compile(r"[\w.]*(Error|Exception)\b.*:")  # the first of a chain is the cause


@dataclass(frozen=True)
class BundleRun:
    """The commands of a bundle for one request. What they print goes to ``log.txt``.

    Attributes:
        request: what is asked for.
        label_channels: classes of the masks that clips carry as channels, the background among them; 0 for none.
    """

    request: Request
    label_channels: int = 0

    @property
    def bundle(self) -> Path:
        """Folder of the bundle."""
        assert self.request.generator.bundle is not None
        return self.request.generator.bundle

    @property
    def source(self) -> Path:
        """The datalist of the training clips, the only ones that the bundle is shown."""
        return self.request.folder / "datalist.json"

    @property
    def weights(self) -> tuple[Path, Path]:
        """Weights of the autoencoder and of FEAT: those that are given or shipped, or those that it trains."""
        given, folder = self.request.generator, self.request.folder
        trained = (
            folder / "autoencoder" / "autoencoder.safetensors"
            if given.autoencoder_steps
            else self._shipped("autoencoder")
        )
        return given.autoencoder_weights or trained, given.network_weights or folder / "feat" / "feat.safetensors"

    @property
    def form(self) -> dict[str, Any]:
        """The form of clips, for every config."""
        data = self.request.data
        return {
            "label_channels": self.label_channels,
            "image_channels": data.image_channels,
            "frame_size": data.frame_size,
            "seed": self.request.seed,
            "dataset_dir": self.source,
            "preprocessing": "None",
        }

    @property
    def from_shipped(self) -> bool:
        """Whether it starts from the weights in the bundle."""
        return self.request.generator.start == "shipped"

    def run(self, config: str, *overlays: Path, **options: Any) -> None:
        """Run a config of the bundle, with files over it; options of None are left out.

        Raises:
            StudyError: it failed; shows the end of what it printed.
        """
        files = [str(file) for file in (self.bundle / "configs" / f"{config}.json", *overlays)]
        given = {"config_file": files, "bundle_root": self.bundle, **self.form, **options}
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
                f"{config} of {self.bundle} ended with {code}, see {log}:\n" + "\n".join(reasons[-LOG_LINES:])
            )

    def train(self, **options: Any) -> None:
        """Train the autoencoder, then FEAT in its latent space; options are FEAT's.

        What is there is kept, and training that was interrupted goes on from its latest epoch.

        Raises:
            StudyError: a command of the bundle failed.
        """
        self._write_source()
        autoencoder, network = self.weights
        budget, data = self.request.generator, self.request.data
        clips = len(self.request.train)
        if not autoencoder.is_file():
            self.run(
                "train_autoencoder",
                **_budget(budget.autoencoder_steps, clips * data.num_frames),
                output_dir=autoencoder.parent,
                learning_rate=AUTOENCODER_TUNING_RATE if self.from_shipped else None,
                autoencoder_weights=self._first_autoencoder() if self.from_shipped else None,
            )
        if not network.is_file():
            self.run(
                "train",
                **_budget(budget.feat_steps, clips),
                num_frames=data.num_frames,
                val_interval="None",
                output_dir=network.parent,
                learning_rate=FINE_TUNING_RATE if self.from_shipped else None,
                autoencoder_weights=autoencoder,
                network_weights=self._shipped("feat") if self.from_shipped else None,
                **options,
            )

    def sample(self, *overlays: Path, **options: Any) -> None:
        """Sample the clips that the request wants.

        Raises:
            StudyError: the command failed.
        """
        self._write_source()
        request = self.request
        autoencoder, network = self.weights
        self.run(
            "inference",
            *overlays,
            num_frames=request.data.num_frames,
            output_dir=request.stem(0).parent,
            output_format="nifti",
            num_clips=request.num_clips,
            batch_size=SAMPLING_BATCH,
            num_sampling_steps=request.generator.sampling_steps,
            autoencoder_weights=autoencoder,
            network_weights=network,
            **options,
        )

    def _write_source(self) -> None:
        write_datalist(Datalist(tuple(self.request.train)), self.source)

    def _shipped(self, name: str) -> Path:
        return self.bundle / "models" / f"{name}.safetensors"

    def _first_autoencoder(self) -> Path:
        """The shipped autoencoder, with room for masks, which it does not look at yet."""
        shipped = self._shipped("autoencoder")
        if not self.label_channels:
            return shipped
        path = self.request.folder / "autoencoder_start.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(widen_autoencoder(load_checkpoint(shipped), self.label_channels), path)
        return path


def _budget(steps: int, distinct: int) -> dict[str, Any]:
    """Clips of an epoch and epochs that make so many steps; an epoch shows each of the distinct clips alike."""
    clips = distinct * max(1, round(min(steps, EPOCH_STEPS) * BATCH_SIZE / distinct))
    epochs = math.ceil(steps / math.ceil(clips / BATCH_SIZE))
    return {"num_clips": clips, "max_epochs": epochs, "batch_size": BATCH_SIZE, "resume_from": "last"}
