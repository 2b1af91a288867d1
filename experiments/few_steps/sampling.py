# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sample the clips of one sampler, number of steps and seed, once: they are kept in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from monai.bundle import ConfigParser

from experiments.sampled import Sampled, sample
from monai_feat.apps.recipe import Recipe
from monai_feat.checkpoints import load_checkpoint, read_metadata, save_checkpoint
from monai_feat.data import autoencoder_digest

__all__ = ["Cell", "Shape", "sample_once"]


class Cell(NamedTuple):
    """What clips are sampled with."""

    sampler: str
    steps: int
    seed: int

    def __str__(self) -> str:
        return f"{self.sampler}, {self.steps} steps, seed {self.seed}"

    @property
    def file_name(self) -> str:
        """Name of the file with the clips."""
        return f"{self.sampler}_{self.steps:04d}_seed_{self.seed}.safetensors"


class Shape(NamedTuple):
    """How many clips, and of which size."""

    num_clips: int
    num_frames: int
    size: int


def sample_once(recipe: Recipe, cell: Cell, shape: Shape, network: Path, folder: Path) -> Sampled:
    """Return the clips of a cell, from its file where an earlier run has left it there, else as the bundle makes them.

    Args:
        recipe: knows the bundle.
        cell: what to sample with.
        shape: of what is sampled.
        network: weights.
        folder: where files are kept.

    Raises:
        FileExistsError: if other weights or shapes made the file.
    """
    config = ConfigParser()
    config.read_config(str(recipe.bundle / "configs" / "inference.json"))
    config.update(
        {
            "bundle_root": str(recipe.bundle),
            "network_weights": str(network),
            "sampler": cell.sampler,
            "num_sampling_steps": cell.steps,
            "seed": cell.seed,
            "num_frames": shape.num_frames,
            "frame_size": shape.size,
            "inferer::progress": False,
        }
    )
    networks = {name: config.get_parsed_content(name) for name in ("network", "weaker")}
    settings = {**shape._asdict(), **{name: net and autoencoder_digest(net) for name, net in networks.items()}}
    file = folder / cell.file_name
    if file.is_file():
        return _read(file, settings)
    sampled = sample(config, shape.num_clips)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"settings": json.dumps(settings), "seconds": f"{sampled.seconds:.6g}"}
    save_checkpoint({"pixels": sampled.pixels}, file, metadata=metadata)
    return sampled


def _read(file: Path, settings: dict[str, Any]) -> Sampled:
    metadata = read_metadata(file)
    if json.loads(metadata["settings"]) != settings:
        raise FileExistsError(
            f"{file} holds what other settings made ({metadata['settings']} there, {json.dumps(settings)} now); name "
            "another --out, or remove it"
        )
    return Sampled(load_checkpoint(file)["pixels"], float(metadata["seconds"]))
