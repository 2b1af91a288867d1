# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network can be asked for: classes, numbers, first frames, mask sequences; each with its own bounds.

A condition is a description, without weights: its name, what values it takes, and which block embeds them. Networks,
training and sampling share it. −1 stands for "none" in the values of all (`NONE`).

Letters: B clips, C latent channels, T frames, H and W latent rows and columns, f downsampling of the autoencoder, h and
w rows and columns in patches, D hidden size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from monai_feat.networks.blocks.condition_embeddings import (
    NONE,
    ClassEmbedding,
    FirstFramesEmbedding,
    MaskEmbedding,
    ScalarEmbedding,
)

__all__ = [
    "ClassCondition",
    "Condition",
    "FirstFramesCondition",
    "MaskCondition",
    "ScalarCondition",
    "check_names",
    "describe_conditions",
]


@dataclass(frozen=True)
class Condition(ABC):
    """Something that a clip can be asked to be.

    Attributes:
        name: of the condition: the key of its values in a batch, in a context and in prompts.
        per_clip: whether a value is one number for each clip.
        from_data: whether training takes the values from the data set, rather than from the latents.
    """

    name: str
    per_clip: ClassVar[bool] = True
    from_data: ClassVar[bool] = True

    @property
    @abstractmethod
    def bounds(self) -> str:
        """Values that the condition takes, in words."""

    @abstractmethod
    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value, of any shape, whether it is in bounds or none."""

    @abstractmethod
    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make the block that embeds the values in a network of C = ``in_channels`` and D = ``hidden_size``."""

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


@dataclass(frozen=True)
class ClassCondition(Condition):
    """One of several classes; values are whole numbers ``(B,)``, of any dtype.

    Args:
        name: of the condition.
        num_classes: number of classes, numbered from 0.

    Raises:
        ValueError: when there is no class.
    """

    num_classes: int

    def __post_init__(self) -> None:
        if self.num_classes < 1:
            raise ValueError(f"{self.name}: num_classes must be at least 1, got {self.num_classes}")

    @property
    def bounds(self) -> str:
        """Values that the condition takes, in words."""
        return f"a class from 0 to {self.num_classes - 1}"

    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value whether it is a class or none."""
        return _is_index(values, self.num_classes)

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make a table of vectors."""
        return ClassEmbedding(self.num_classes, hidden_size)


@dataclass(frozen=True)
class ScalarCondition(Condition):
    """A number, such as an ejection fraction or a depth; values are ``(B,)`` in its own unit.

    Args:
        name: of the condition.
        minimum: least value, 0 or more, because −1 is none.
        maximum: greatest value.

    Raises:
        ValueError: when there is nothing between them, or the minimum is negative.
    """

    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if not 0 <= self.minimum < self.maximum < float("inf"):
            raise ValueError(
                f"{self.name}: expected 0 <= minimum < maximum, got {self.minimum} and {self.maximum}; {NONE} is none, "
                "so shift quantities that can be negative"
            )

    @property
    def bounds(self) -> str:
        """Values that the condition takes, in words."""
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value whether it is in range or none, with some room for rounding."""
        room = 1e-5 * (self.maximum - self.minimum)
        return (values == NONE) | ((values >= self.minimum - room) & (values <= self.maximum + room))

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make an embedding by slow waves."""
        return ScalarEmbedding(self.minimum, self.maximum, hidden_size)


@dataclass(frozen=True)
class FirstFramesCondition(Condition):
    """The first frames, to be continued; values are their latents ``(B, C, k, H, W)``, k at most ``max_frames``.

    A frame that is −1 throughout is none, so that clips of one batch may be given different numbers of frames.

    Args:
        name: of the condition.
        max_frames: greatest number of frames that can be given.

    Raises:
        ValueError: when that is none.
    """

    name: str = "first_frames"
    max_frames: int = 1
    per_clip: ClassVar[bool] = False
    from_data: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.max_frames < 1:
            raise ValueError(f"{self.name}: max_frames must be at least 1, got {self.max_frames}")

    @property
    def bounds(self) -> str:
        """Values that the condition takes, in words."""
        return f"1 to {self.max_frames} frames" if self.max_frames > 1 else "1 frame"

    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value whether it is finite: latents have no bounds."""
        return values.isfinite()

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make an embedding of patches."""
        return FirstFramesEmbedding(in_channels, hidden_size, patch_size)

    def check_shape(self, values: Tensor, latent_shape: Sequence[int]) -> None:
        """Refuse frames of another size, or too many.

        Raises:
            ValueError: naming both shapes.
        """
        clips, channels, num_frames, *size = latent_shape
        most = min(self.max_frames, num_frames)
        frames = values.shape[2] if values.ndim == 5 else 0
        if tuple(values.shape) != (clips, channels, frames, *size) or not 1 <= frames <= most:
            raise ValueError(
                f"{self.name}: got {tuple(values.shape)}; it takes latents of 1 to {most} frames of the clips' own "
                f"size, at most {(clips, channels, most, *size)}"
            )

    def draw(self, latents: Tensor, chances: Tensor) -> Tensor:
        """Take the first 1 to ``max_frames`` frames of each clip, as many as chance says; the rest is none.

        Args:
            latents: ``(B, C, T, H, W)``.
            chances: numbers drawn evenly from [0, 1), ``(B,)``.

        Returns:
            ``(B, C, max_frames, H, W)``; T frames where the clips are shorter.
        """
        frames = latents[:, :, : self.max_frames]
        counts = 1 + (chances * frames.shape[2]).long().reshape(-1, 1, 1, 1, 1).to(frames.device)
        given = torch.arange(frames.shape[2], device=frames.device).reshape(1, 1, -1, 1, 1) < counts
        return torch.where(given, frames, torch.full_like(frames, NONE))


@dataclass(frozen=True)
class MaskCondition(Condition):
    """A mask for every frame; values are labels ``(B, 1, T, f·H, f·W)``, whole numbers of any dtype.

    A pixel of −1 is none: its label is not asked for.

    Args:
        name: of the condition.
        num_labels: number of labels, the background, 0, among them.

    Raises:
        ValueError: when there is nothing but background.
    """

    name: str = "label"
    num_labels: int = 2
    per_clip: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.num_labels < 2:
            raise ValueError(f"{self.name}: num_labels must be at least 2, got {self.num_labels}")

    @property
    def bounds(self) -> str:
        """Values that the condition takes, in words."""
        return f"masks with labels from 0 to {self.num_labels - 1}"

    def accepts(self, values: Tensor) -> Tensor:
        """Say of each value whether it is a label or none."""
        return _is_index(values, self.num_labels)

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make an embedding of patches."""
        return MaskEmbedding(self.num_labels, hidden_size, patch_size)

    def check_shape(self, values: Tensor, latent_shape: Sequence[int]) -> None:
        """Refuse masks of other clips or frames, or whose size is no multiple of the latents'.

        Raises:
            ValueError: naming both shapes.
        """
        clips, _, num_frames, height, width = latent_shape
        fits = values.ndim == 5 and tuple(values.shape[:3]) == (clips, 1, num_frames)
        factor = values.shape[-1] // width
        if not fits or tuple(values.shape[3:]) != (factor * height, factor * width) or not factor:
            raise ValueError(
                f"{self.name}: got masks {tuple(values.shape)}; it takes {(clips, 1, num_frames)} and rows and columns "
                f"that are a multiple of the latents', {height}×{width}"
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


def _is_index(values: Tensor, count: int) -> Tensor:
    """Say of each value whether it is a whole number below ``count``, 0 or more, or none."""
    if not values.is_floating_point():
        values = values.int()  # in unsigned numbers, −1 would be the greatest
    return (values >= NONE) & (values < count) & (values == values.trunc())
