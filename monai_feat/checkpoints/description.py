# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What weights say about themselves: which network they belong to, what it was trained on, how to sample from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint, read_metadata
from monai_feat.files import compare_keys

__all__ = ["ClipFormat", "Description", "Diffusion", "describe_differences", "read_description"]

_KEY = "config"
_FLOW = "flow_velocity"
_LINEAR = {"schedule": "linear_beta", "beta_start": 1e-4, "beta_end": 2e-2}
PartT = TypeVar("PartT")


@dataclass(frozen=True)
class ClipFormat:
    """The clips that a network was trained on.

    Attributes:
        modality: such as ``"ultrasound"``; None where it is not known.
        image_channels: 1 for grey, 3 for RGB.
        num_frames: frames of a clip.
        frame_size: its ``(H, W)`` in pixels; one number stands for both.
        frame_rate: in Hz, the median of the clips; None where it is not known, or where clips are single frames.
        label_channels: classes of the masks that clips carry, the background among them; 0 for clips without masks.
        resampled: whether files were read at this frame rate; if not, each at its own, of which it is the median.
    """

    modality: str | None
    image_channels: int
    num_frames: int
    frame_size: tuple[int, int]
    frame_rate: float | None = None
    label_channels: int = 0
    resampled: bool = False

    def __post_init__(self) -> None:
        size: int | Sequence[int] = self.frame_size
        rows, columns = (size, size) if isinstance(size, int) else size
        object.__setattr__(self, "frame_size", (int(rows), int(columns)))


@dataclass(frozen=True)
class Diffusion:
    """How a network was trained to denoise, and how clips are best sampled from it.

    Attributes:
        prediction_type: ``"epsilon"``, ``"sample"``, ``"v_prediction"`` or ``"flow_velocity"``.
        sampler: a name that `monai_feat.inferers.sampling_scheduler` knows.
        num_sampling_steps: steps of the sampler.
        num_train_timesteps: steps of the training chain.
        noise_schedule: ``schedule``, a name of MONAI's ``NoiseSchedules``, and its arguments; None for the linear one,
            and for rectified flow, which has none.
    """

    prediction_type: str
    sampler: str
    num_sampling_steps: int
    num_train_timesteps: int = 1000
    noise_schedule: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.noise_schedule is None and self.prediction_type != _FLOW:
            object.__setattr__(self, "noise_schedule", dict(_LINEAR))


@dataclass(frozen=True)
class Description:
    """Everything that is needed to use weights.

    Attributes:
        network: name of the network's class.
        arguments: what it is constructed with, as values of JSON.
        clips: what it was trained on; None where that is not known.
        diffusion: how it denoises; None where that is not known, and for other networks.
    """

    network: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    clips: ClipFormat | None = None
    diffusion: Diffusion | None = None

    def to_metadata(self) -> dict[str, str]:
        """Return it as the ``metadata`` of `save_checkpoint`: one string of JSON under ``config``."""
        return {_KEY: json.dumps({key: value for key, value in asdict(self).items() if value is not None})}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str) -> Description | None:
        """Read it from the ``metadata`` of a file; None where there is none.

        Raises:
            CheckpointError: it is not one that this version knows.
        """
        if _KEY not in metadata:
            return None
        try:
            parts = json.loads(metadata[_KEY])
            parts |= {key: _part(kind, parts[key]) for key, kind in _PARTS.items() if key in parts}
            description = cls(**parts)
            description.arguments.keys()  # a mapping
        except (AttributeError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{source}: cannot tell what its weights are ({error}); expected a description with "
                f"{', '.join(each.name for each in fields(cls))}. A newer version may have written it"
            ) from error
        return description


_PARTS: Mapping[str, type] = {"clips": ClipFormat, "diffusion": Diffusion}


def _part(kind: type[PartT], values: Mapping[str, Any]) -> PartT:
    return kind(**values)


def read_description(path: str | os.PathLike[str]) -> Description | None:
    """Read what a file of weights, or a checkpoint of a training, says about itself.

    Returns:
        The description; None for a file that has none, such as one that others have written.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file cannot be read, or its description is not one that this version knows.
    """
    is_weights = Path(path).suffix == ".safetensors"
    metadata = read_metadata(path) if is_weights else load_checkpoint(path).get("metadata", {})
    return Description.from_metadata(metadata if isinstance(metadata, Mapping) else {}, str(path))


def describe_differences(described: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """Tell in which arguments two networks differ, in the order of the first.

    Args:
        described: arguments of the network that weights belong to.
        own: arguments of the network at hand; those that only one of the two has do not count.

    Example:
        >>> describe_differences({"hidden_size": 96, "num_layers": 4}, {"hidden_size": 128, "num_layers": 4})
        ['hidden_size is 96 in the weights and 128 in this network']
    """
    changed = compare_keys(described, own).changed
    return [f"{key} is {described[key]!r} in the weights and {own[key]!r} in this network" for key in changed]
