# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A linear recurrence of each channel by itself."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["linear_recurrence"]


def linear_recurrence(decay: Tensor, inputs: Tensor, state: Tensor | None = None) -> Tensor:
    """Compute h_t = a_t h_{t−1} + x_t in float32 at least, token by token.

    The order of the additions does not depend on the length, so that a sequence in two parts gives the bits that it
    gives in one.

    Args:
        decay: a, ``(N, T, C)``.
        inputs: x, likewise.
        state: h before the first token, ``(N, C)``; zero where it is None.

    Returns:
        h, ``(N, T, C)``.

    Example:
        >>> linear_recurrence(torch.full((1, 3, 1), 0.5), torch.ones(1, 3, 1)).flatten()
        tensor([1.0000, 1.5000, 1.7500])
    """
    dtype = torch.promote_types(inputs.dtype, torch.float32)
    decays, tokens = decay.to(dtype).unbind(1), inputs.to(dtype).unbind(1)
    outputs = [tokens[0] if state is None else torch.addcmul(tokens[0], decays[0], state.to(dtype))]
    for a, x in zip(decays[1:], tokens[1:], strict=True):
        outputs.append(torch.addcmul(x, a, outputs[-1]))
    return torch.stack(outputs, dim=1)
