# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A number with bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from monai_feat.conditions.condition import Condition
from monai_feat.conditions.context import NONE
from monai_feat.conditions.registry import register_condition
from monai_feat.networks.blocks.embeddings import TimestepEmbedding

__all__ = ["ScalarCondition", "ScalarEmbedding"]


@register_condition
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


class ScalarEmbedding(nn.Module):
    """Embed a number by slow waves over its range and two linear maps.

    The fastest wave turns about three times over the range, so that neighbouring values have similar embeddings. The
    range is saved with the weights, and weights of another range are refused.

    Args:
        minimum: least value.
        maximum: greatest value.
        hidden_size: size of the embedding.
    """

    SPAN, MAX_PERIOD, NUM_WAVES = 20.0, 100.0, 64

    bounds: Tensor

    def __init__(self, minimum: float, maximum: float, hidden_size: int) -> None:
        super().__init__()
        self.minimum, self.maximum = minimum, maximum
        self.waves = TimestepEmbedding(hidden_size, self.NUM_WAVES, self.MAX_PERIOD)
        self.register_buffer("bounds", torch.tensor([minimum, maximum]))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Let the embedding start at zero."""
        for parameter in self.waves.mlp[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, values: Tensor) -> Tensor:
        """Embed values ``(B,)``, within the range or −1 for none, as ``(B, D)``."""
        known = values != NONE
        share = (values.float() - self.minimum) / (self.maximum - self.minimum)
        vectors: Tensor = self.waves(share.clamp(0, 1) * self.SPAN)
        return vectors * known[:, None].to(vectors.dtype)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        trained = state_dict.get(f"{prefix}bounds")
        if trained is not None and not torch.allclose(trained.float().cpu(), self.bounds.float().cpu(), rtol=1e-2):
            low, high = trained.tolist()
            errors: list[str] = args[-1]
            errors.append(
                f"{prefix.rstrip('.')} was trained for {low:g} to {high:g}, and is defined here for "
                f"{self.minimum:g} to {self.maximum:g}"
            )
        super()._load_from_state_dict(state_dict, prefix, *args)
