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

from .decayed_sums import sum_dtype
from .portable_scan import portable_backward, portable_forward

__all__ = ["Kernels", "kernels_for"]


class Kernels(NamedTuple):
    """Bi-WKV and its gradient, for tensors of any floating-point types."""

    forward: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    """w, u, k, v -> output in the precision of sums, log-denominators in that of exponents."""
    backward: Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]]
    """w, u, k, v, output, log-denominators, gradient of the output -> gradients of w, u, k, v in their dtypes."""


PORTABLE = Kernels(portable_forward, portable_backward)


def kernels_for(k: Tensor, v: Tensor) -> Kernels:
    """Return the fastest implementation for the device and types of keys and values that can be imported."""
    if sum_dtype(k, v) == torch.float64:
        return PORTABLE
    if k.device.type == "cpu" and _is_installed("numba"):
        from .compiled_scan import compiled_backward, compiled_forward

        return Kernels(compiled_forward, compiled_backward)
    if k.device.type == "cuda" and torch.version.cuda and _is_installed("triton"):
        from .triton_scan import triton_backward, triton_forward

        return Kernels(triton_forward, triton_backward)
    return PORTABLE


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
