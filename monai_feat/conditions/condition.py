# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What all conditions have in common.

Letters: B clips, C latent channels, T frames, H and W latent rows and columns, h and w rows and columns in patches, D
hidden size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from monai_feat.conditions.context import NONE

__all__ = ["Condition", "Draws", "PromptClips", "check_names", "describe_conditions", "is_index"]


class Draws(Protocol):
    """Randomness of each clip of a batch, such as `monai_feat.inferers.ClipNoise`."""

    def uniform(self, count: int = 1) -> Tensor:
        """Draw numbers from [0, 1), ``(B, count)``."""


class PromptClips(Protocol):
    """The clips that will be sampled, for prompts that are files or sources of clips.

    Attributes:
        num_frames: T of the clips.
    """

    num_frames: int

    def frames(self, name: str, file: Any, num_frames: int) -> Tensor:
        """Return the first frames of a file, uint8 ``(C, T, f·H, f·W)``, fewer where it has no more."""

    def encode(self, clip: Tensor) -> Tensor:
        """Return the latents ``(1, C, T, H, W)`` of such frames."""

    def masks(self, source: Any, num_classes: int) -> Tensor | None:
        """Return the masks of the clips of a source, uint8 ``(n, 1, T, f·H, f·W)``; None of what is one file."""


@dataclass(frozen=True)
class Condition(ABC):
    """Something that a clip can be asked to be: a description, without weights.

    What is here suits a number for each clip. Others override what differs, each in a file of its own.

    Attributes:
        name: of the condition: the key of its values in a batch, in a context and in prompts.
        per_clip: whether a value is one number for each clip. Its embedding is then added to that of the timestep, and
            otherwise to the patches of the clip.
        from_data: whether training takes the values from the data set, rather than from the latents.
        prompt_types: what a prompt can be.
        prompt: the same in words.
    """

    name: str
    per_clip: ClassVar[bool] = True
    from_data: ClassVar[bool] = True
    prompt_types: ClassVar[tuple[type, ...]] = (int, float)
    prompt: ClassVar[str] = "a number"

    @property
    def mask_classes(self) -> int:
        """Number of classes of the masks that training needs beside the clips; 0 where it needs no masks."""
        return 0

    @property
    @abstractmethod
    def bounds(self) -> str:
        """Values that the condition takes, in words."""

    @abstractmethod
    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value, of any shape, whether it is in bounds or none."""

    @abstractmethod
    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make the block that embeds the values in a network of C = ``in_channels`` and D = ``hidden_size``.

        It maps values ``(B,)`` to ``(B, D)``, or, where a value is not one number, values and the clip's (T, H, W)
        to ``(B, T, h, w, D)``. It adds nothing for none, and has ``reset_parameters``, which makes it add nothing for
        all values.
        """

    def training_values(self, batch: Mapping[str, Tensor], latents: Tensor, draws: Draws) -> Tensor:
        """Take the values of a batch for training, ``(B, ...)``, not yet checked.

        Args:
            batch: what the data set gives, by name.
            latents: clean latents of the clips, ``(B, C, T, H, W)``.
            draws: where each clip draws from, if the values are random.

        Raises:
            ValueError: when the batch has no values of this name.
        """
        return self.from_batch(batch).to(torch.float32)

    def read_prompts(self, prompts: Sequence[Any], clips: PromptClips) -> Tensor:
        """Turn n prompts, each of a type in ``prompt_types``, into values ``(n, ...)``.

        Args:
            prompts: what is asked for.
            clips: reads files, and knows the clips that will be sampled.
        """
        return torch.tensor(prompts, dtype=torch.float32)

    def from_batch(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what a batch holds under the condition's name.

        Raises:
            ValueError: when it holds nothing there.
        """
        if self.name not in batch:
            raise ValueError(
                f"a batch needs the values of {self.name} ({self.bounds}); this one has {sorted(batch)}. "
                "LatentDataset hands out what it is told to keep"
            )
        return batch[self.name]

    def check(self, values: Tensor) -> None:
        """Refuse values out of bounds.

        Raises:
            ValueError: naming the first such value, and the bounds.
        """
        wrong = values[~self.accepts(values)]
        if wrong.numel():
            raise ValueError(
                f"{self.name}: {wrong[0].item():g} was asked for; it takes {self.bounds}, or {NONE} for none"
            )

    def check_shape(self, values: Tensor, latent_shape: Sequence[int]) -> None:
        """Refuse values of another shape than clips with latents (B, C, T, H, W) = ``latent_shape`` take.

        Raises:
            ValueError: naming both shapes.
        """
        if tuple(values.shape) != (latent_shape[0],):
            raise ValueError(
                f"{self.name}: got values {tuple(values.shape)} for {latent_shape[0]} clips; it takes one number for "
                f"each: {self.bounds}, or {NONE} for none"
            )


def check_names(names: Iterable[str], conditions: Sequence[Condition]) -> None:
    """Refuse what is asked for by a name that no condition has.

    Raises:
        ValueError: naming what can be asked for.
    """
    if unknown := sorted(set(names) - {condition.name for condition in conditions}):
        raise ValueError(
            f"{', '.join(unknown)}: not what this network was trained for; it takes {describe_conditions(conditions)}"
        )


def describe_conditions(conditions: Sequence[Condition]) -> str:
    """Name conditions and their bounds, for messages; "nothing" where there are none."""
    return ", ".join(f"{condition.name} ({condition.bounds})" for condition in conditions) or "nothing"


def is_index(values: Tensor, count: int) -> Tensor:
    """Say of each value whether it is a whole number below ``count``, 0 or more, or none."""
    if not values.is_floating_point():
        values = values.int()  # in unsigned numbers, −1 would be the greatest
    return (values >= NONE) & (values < count) & (values == values.trunc())
