# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a segmentation training is made of; kept with the weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

import torch

from monai_feat.checkpoints import CheckpointError, ClipFormat, load_weights, read_metadata
from monai_feat.inferers import TimeWindowInferer
from monai_feat.networks.nets import ClipSegmenter, Context
from monai_feat.transforms import Augmentation
from monai_feat.transforms.labels import check_label_channels

__all__ = ["SegmentationSettings", "load_segmenter"]


@dataclass(frozen=True)
class SegmentationSettings:
    """Settings of a segmentation training.

    Attributes:
        num_classes: classes of the masks, the background among them.
        legend: what the values or colours of the masks stand for, where they do not speak for themselves.
        image_channels: 1 for grey, 3 for RGB; clips are brought to it.
        frame_size: rows and columns of the square, on black, that frames are brought to; a multiple of 16.
        num_frames: frames of a training clip, and of the window that predicts; shorter clips are played to and fro.
        network: ``"frame"`` sees single frames, ``"clip"`` their neighbours too; see `ClipSegmenter`.
        init_filters: channels of the network at half size.
        augmentation: ``"none"``, ``"standard"`` or ``"strong"``; see `ClipAugmentation`.
        max_steps: steps of the optimiser, whatever the number of clips.
        batch_size: clips of a step; as many without masks come on top, where there are any.
        learning_rate: of AdamW, after a short rise and before half a cosine to 0.
        val_interval: steps from one validation, and checkpoint, to the next.
        ema_decay: of the moving average of the weights that is validated and saved, in (0, 1); None for the weights.
        seed: of the first weights, the order of the clips and their augmentation.

    Raises:
        ValueError: a value is out of range.
    """

    num_classes: int = 2
    legend: Mapping[int | str, int] | None = None
    image_channels: int = 1
    frame_size: int = 64
    num_frames: int = 1
    network: Context = "frame"
    init_filters: int = 16
    augmentation: Augmentation = "standard"
    max_steps: int = 300
    batch_size: int = 8
    learning_rate: float = 1e-3
    val_interval: int = 50
    ema_decay: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int":
                _check(field.name, value, type(value) is int, "a whole number")
            elif field.type in ("float", "float | None") and value is not None:
                _check(field.name, value, type(value) in (int, float), "a number")
        check_label_channels(self.num_classes)
        _check("legend", self.legend, isinstance(self.legend, Mapping | None), 'such as {"20": 1}, or None')
        _check("image_channels", self.image_channels, self.image_channels in (1, 3), "1 or 3")
        _check("frame_size", self.frame_size, self.frame_size > 16 and self.frame_size % 16 == 0, "16 times 2 or more")
        for name in ("num_frames", "init_filters", "max_steps", "batch_size", "val_interval"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
        for name, choices in (("network", get_args(Context)), ("augmentation", get_args(Augmentation))):
            _check(name, getattr(self, name), getattr(self, name) in choices, f"one of {choices}")
        _check("learning_rate", self.learning_rate, bool(self.learning_rate and self.learning_rate > 0), "above 0")
        _check("ema_decay", self.ema_decay, self.ema_decay is None or 0 < self.ema_decay < 1, "in (0, 1), or None")
        _check("seed", self.seed, self.seed >= 0, "0 or more")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegmentationSettings:
        """Make settings of named values.

        Raises:
            ValueError: a name is unknown, or a value out of range.
        """
        known = [field.name for field in fields(cls)]
        if unknown := sorted(values.keys() - set(known)):
            raise ValueError(f"unknown settings {', '.join(unknown)}; the known ones are {', '.join(known)}")
        return cls(**values)

    @classmethod
    def of_weights(cls, path: str | os.PathLike[str]) -> SegmentationSettings:
        """Read the settings that are kept with weights.

        Raises:
            CheckpointError: the file holds none.
        """
        metadata = read_metadata(path)
        if "settings" not in metadata:
            raise CheckpointError(f"{path}: holds no settings of a segmentation; expected a file of train_segmenter")
        return cls.from_dict(json.loads(metadata["settings"]))

    @property
    def clips(self) -> ClipFormat:
        """The clips that the network is trained on."""
        return ClipFormat(None, self.image_channels, self.num_frames, (self.frame_size, self.frame_size))

    def to_json(self) -> str:
        """All values, by name."""
        return json.dumps(asdict(self))

    def make_network(self) -> ClipSegmenter:
        """A new network, whose weights depend on the seed only."""
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(self.seed)
            return ClipSegmenter(self.image_channels, self.num_classes, self.init_filters, context=self.network)

    def make_inferer(self) -> TimeWindowInferer:
        """What predicts clips of any length."""
        return TimeWindowInferer(self.num_frames, overlap=0.5 if self.network == "clip" else 0.0)


def load_segmenter(path: str | os.PathLike[str]) -> tuple[ClipSegmenter, SegmentationSettings]:
    """Load a network, ready to predict, and its settings.

    Raises:
        CheckpointError: the file cannot be read, or is not of `train_segmenter`.
        FileNotFoundError: there is no such file.
    """
    settings = SegmentationSettings.of_weights(path)
    return load_weights(settings.make_network(), path).eval(), settings


def _check(name: str, value: object, is_right: bool, expected: str) -> None:
    if not is_right:
        raise ValueError(f"expected {name} to be {expected}, got {value!r}")
