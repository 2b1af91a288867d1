# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What clips are asked to be, as networks and denoisers hand it on to one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

__all__ = ["NONE", "Context", "map_context"]

NONE = -1
"""What stands for "none" in the values of every condition, as in MONAI's inferers."""

Context = Tensor | Mapping[str, Tensor]
"""What each clip is asked to be, ``(B, ...)``: values by the names of their conditions, or one tensor, as MONAI's
inferers pass it on.

A tensor holds one column for each condition, ``(B, K)``, where all are numbers per clip, and else is the value of the
only condition.
"""


def map_context(change: Callable[[Tensor], Tensor], context: Context | None) -> Context | None:
    """Change every tensor of a context; nothing that is asked for stays nothing.

    Example:
        >>> import torch
        >>> map_context(lambda values: values[1:], {"view": torch.tensor([3, 4])})
        {'view': tensor([4])}
    """
    if context is None:
        return None
    if isinstance(context, Tensor):
        return change(context)
    return {name: change(values) for name, values in context.items()}
