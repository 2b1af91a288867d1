# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which implementation of Bi-WKV runs where."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

import torch
from torch import Tensor

from .portable_scan import portable_backward, portable_forward

__all__ = ["Kernels", "kernels_for"]


class Kernels(NamedTuple):
    """Bi-WKV and its gradient, for tensors of one floating-point type."""

    forward: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    """w, u, k, v -> output, log-denominators."""
    backward: Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]]
    """w, u, k, v, output, log-denominators, gradient of the output -> gradients of w, u, k, v."""


PORTABLE = Kernels(portable_forward, portable_backward)


def kernels_for(k: Tensor) -> Kernels:
    """Return the fastest implementation for the device and number type of the keys that can be imported."""
    if k.device.type == "cpu" and k.dtype != torch.float64 and _is_installed("numba"):
        from .compiled_scan import compiled_backward, compiled_forward

        return Kernels(compiled_forward, compiled_backward)
    return PORTABLE


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
