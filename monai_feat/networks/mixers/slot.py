# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A place in FEAT that a mixer stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Axis", "Slot"]

Axis = Literal["space", "time", "channels"]
"""What is mixed: the tokens of a frame, the frames at a position, or the channels of a token."""


@dataclass(frozen=True)
class Slot:
    """What a mixer is told about its place.

    Attributes:
        axis: what it mixes.
        hidden_size: number of channels C.
        num_heads: heads of the network's attention; divides `hidden_size`.
        reference_tokens: the length that learned decays are relative to, of the axis at hand; None for the length at
            hand. For mixers that have such decays.

    Raises:
        ValueError: the heads do not divide the channels.
    """

    axis: Axis
    hidden_size: int
    num_heads: int = 1
    reference_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.num_heads < 1 or self.hidden_size % self.num_heads:
            raise ValueError(
                f"num_heads must divide hidden_size, got {self.num_heads} heads for {self.hidden_size} channels"
            )
