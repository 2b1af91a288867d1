# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of a network that reads its context.

Numbers per clip are embedded and added to the embedding of the timestep; first frames and masks are embedded patch by
patch and added to the patches of the noisy clip, which is the same as concatenating them to its channels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from monai_feat.conditions.condition import Condition, check_names, describe_conditions
from monai_feat.conditions.context import Context

__all__ = ["ConditionEmbedding"]


class ConditionEmbedding(nn.Module):
    """Embed a context by one block for each condition.

    Args:
        conditions: what can be asked for; the names differ.
        in_channels: latent channels C.
        hidden_size: size of the embeddings D.
        patch_size: side of a patch.

    Raises:
        ValueError: when two conditions have one name.
    """

    def __init__(self, conditions: Sequence[Condition], in_channels: int, hidden_size: int, patch_size: int) -> None:
        super().__init__()
        names = Counter(condition.name for condition in conditions)
        if doubles := [name for name, count in names.items() if count > 1]:
            raise ValueError(
                f"several conditions have the name {', '.join(doubles)}, expected a different name for each: rename one"
            )
        self.conditions = tuple(conditions)
        self.in_channels, self.patch_size = in_channels, patch_size
        self.blocks = nn.ModuleDict(
            {condition.name: condition.block(in_channels, hidden_size, patch_size) for condition in conditions}
        )

    def reset_parameters(self) -> None:
        """Start at zero, so that the conditions have no effect yet."""
        for block in self.blocks.values():
            block.reset_parameters()  # type: ignore[operator]

    def forward(self, embedding: Tensor, tokens: Tensor, context: Context | None) -> tuple[Tensor, Tensor]:
        """Add the context to the embeddings of timesteps and patches.

        Args:
            embedding: of the clips' timesteps, ``(B, D)``.
            tokens: patch embedding of the noisy clips, ``(B, T, h, w, D)``.
            context: what is asked for; conditions that it leaves out are none.

        Raises:
            ValueError: when the context holds a condition that is not there, or values of another shape or out of
                bounds.
        """
        clips, num_frames, rows, columns = tokens.shape[:4]
        size = (num_frames, rows * self.patch_size, columns * self.patch_size)
        named = self.named(context)
        for condition in self.conditions:
            if condition.name not in named:
                continue
            values = self._checked(condition, named[condition.name], (clips, self.in_channels, *size))
            block = self.blocks[condition.name]
            if condition.per_clip:
                embedding = embedding + block(values)
            else:
                tokens = tokens + block(values, size)
        return embedding, tokens

    def named(self, context: Context | None) -> Mapping[str, Tensor]:
        """Return the values of a context by name.

        Raises:
            ValueError: when the context holds a condition that is not there, or a tensor fits no one condition.
        """
        if context is None:
            return {}
        if isinstance(context, Tensor):
            context = self._split(context)
        check_names(context, self.conditions)
        return context

    def _split(self, context: Tensor) -> dict[str, Tensor]:
        names = [condition.name for condition in self.conditions]
        if all(condition.per_clip for condition in self.conditions) and context.shape[1:] == (len(names),):
            return dict(zip(names, context.unbind(dim=1), strict=True))
        if len(names) == 1:
            return {names[0]: context}
        raise ValueError(
            f"cannot tell which values a context of shape {tuple(context.shape)} holds; pass tensors by name for "
            f"{describe_conditions(self.conditions)}"
        )

    @staticmethod
    def _checked(condition: Condition, values: Tensor, latent_shape: tuple[int, ...]) -> Tensor:
        condition.check_shape(values, latent_shape)
        if not torch.compiler.is_compiling():  # what depends on values would break the graph
            condition.check(values)
        return values
