# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bi-WKV as operators of torch, ``monai_feat::bi_wkv`` and its gradient: opaque to compilers, known to autograd.

What runs depends on the device; see `kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .decayed_sums import exponent_dtype, sum_dtype
from .kernels import kernels_for

__all__ = ["bi_wkv_backward_operator", "bi_wkv_operator"]


@torch.library.custom_op("monai_feat::bi_wkv", mutates_args=())
def bi_wkv_operator(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return the attended values in the precision of sums, and the logarithms of their denominators.

    The backward pass needs both: values rounded to half precision would spoil the differences that it takes of them.
    """
    return kernels_for(k, v).forward(w, u, k, v)


@torch.library.custom_op("monai_feat::bi_wkv_backward", mutates_args=())
def bi_wkv_backward_operator(
    w: Tensor, u: Tensor, k: Tensor, v: Tensor, output: Tensor, log_denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of w, u, k and v, given that of the output."""
    return kernels_for(k, v).backward(w, u, k, v, output, log_denominator, grad)


@bi_wkv_operator.register_fake
def _(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    return v.new_empty(v.shape, dtype=sum_dtype(k, v)), k.new_empty(k.shape, dtype=exponent_dtype(k.device))


@bi_wkv_backward_operator.register_fake
def _(
    w: Tensor, u: Tensor, k: Tensor, v: Tensor, output: Tensor, log_denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    grad_w, grad_u, grad_k, grad_v = (x.new_empty(x.shape) for x in (w, u, k, v))
    return grad_w, grad_u, grad_k, grad_v


def keep_for_backward(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs, *output)
    ctx.mark_non_differentiable(output[1])


def differentiate(ctx: Any, grad: Tensor | None, _: None = None) -> tuple[Tensor | None, ...]:
    if grad is None:
        return None, None, None, None
    gradients: tuple[Tensor, ...] = bi_wkv_backward_operator(*ctx.saved_tensors, grad)
    return gradients


bi_wkv_operator.register_autograd(differentiate, setup_context=keep_for_backward)


def _fold(x: Tensor, dim: int | None, size: int) -> Tensor:
    """Make the mapped dimension part of the channels, ``(..., C) -> (..., C·N)``."""
    last = x[..., None].expand(*x.shape, size) if dim is None else x.movedim(dim, -1)
    return last.flatten(-2)


def _map(operator: Any, info: Any, in_dims: Sequence[int | None], *tensors: Tensor) -> tuple[Any, Any]:
    """Run an operator once on all that `torch.func.vmap` maps over: channels are independent."""
    folded = (_fold(x, dim, info.batch_size) for x, dim in zip(tensors, in_dims, strict=True))
    outputs = [x.unflatten(-1, (-1, info.batch_size)) for x in operator(*folded)]
    return tuple(outputs), tuple(x.ndim - 1 for x in outputs)


bi_wkv_operator.register_vmap(partial(_map, bi_wkv_operator))
bi_wkv_backward_operator.register_vmap(partial(_map, bi_wkv_backward_operator))
