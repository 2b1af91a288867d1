# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One of several classes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from monai_feat.conditions.condition import Condition, is_index
from monai_feat.conditions.context import NONE
from monai_feat.conditions.registry import register_condition

__all__ = ["ClassCondition", "ClassEmbedding"]


@register_condition
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
        return is_index(values, self.num_classes)

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        """Make a table of vectors."""
        return ClassEmbedding(self.num_classes, hidden_size)


class ClassEmbedding(nn.Module):
    """Look up a learned vector for each class.

    Args:
        num_classes: number of classes.
        hidden_size: size of the embedding.
    """

    def __init__(self, num_classes: int, hidden_size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(num_classes, hidden_size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at zero."""
        nn.init.zeros_(self.table.weight)

    def forward(self, labels: Tensor) -> Tensor:
        """Embed labels ``(B,)``, 0 … num_classes − 1 or −1 for none, as ``(B, D)``."""
        known = labels != NONE
        vectors: Tensor = self.table(labels.long().clamp(min=0))
        return vectors * known[:, None].to(vectors.dtype)
