# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bi-WKV for code that runs eagerly: derivatives backwards and forwards, and under the transforms of `torch.func`.

torch's registered operators know neither forward mode nor `torch.func.grad`, and compilers know no function with a
forward mode; so both exist, with the same kernels and the same backward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .forward_mode import bi_wkv_tangent
from .operator import bi_wkv_backward_operator, bi_wkv_operator, keep_for_backward

__all__ = ["BiWKVFunction"]


class BiWKVFunction(torch.autograd.Function):
    """The operator ``monai_feat::bi_wkv`` with a forward-mode derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return output and log-denominators."""
        outputs: tuple[Tensor, Tensor] = bi_wkv_operator(w, u, k, v)
        return outputs

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        """Keep what both derivatives need."""
        keep_for_backward(ctx, inputs, output)
        ctx.save_for_forward(*inputs, *output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, _: None = None) -> Any:
        """Return the gradients of w, u, k and v."""
        if grad is None:
            return None, None, None, None
        return _BiWKVGradient.apply(*ctx.saved_tensors, grad)  # type: ignore[no-untyped-call]

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Any:
        """Return the derivative of the output."""
        return bi_wkv_tangent(ctx.saved_tensors, tangents), None


class _BiWKVGradient(torch.autograd.Function):
    """The operator ``monai_feat::bi_wkv_backward``, which has no gradient itself."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*args: Tensor) -> tuple[Tensor, ...]:
        gradients: tuple[Tensor, ...] = bi_wkv_backward_operator(*args)
        return gradients

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        raise NotImplementedError(
            "bi_wkv is differentiable once backwards: for a second derivative take torch.func.jvp of its output, or "
            "bi_wkv_reference"
        )
