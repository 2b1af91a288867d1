# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bidirectional weighted key-value attention (Bi-WKV), a softmax over distance-decayed keys at linear cost.

Source: Vision-RWKV (arXiv 2403.02308, Equation 5), as FEAT uses it (arXiv 2506.04956). For channel c of one sequence

    y_t = Σ_i p_ti v_i,   p_t = softmax_i(a_ti),   a_ti = k_i − (|t − i| − 1) w  for i ≠ t,   a_tt = u + k_t.

`bi_wkv_reference` is that definition, quadratic in T. `bi_wkv` is the same map in O(T): every pair i < t factors
through the state between them, A_{t+1} = e^{−w} A_t + e^{k_t} v_t, and every pair i > t through the mirrored one. All
states are kept relative to a running maximum of their exponents, so keys of any size and decays of any sign neither
overflow nor vanish.

The gradient is the same scan run over the transposed weights. With log Z_t the log-denominator of token t,
p_ti = e^{a_ti − log Z_t}. So Σ_t p_ti g_t, the product with the transposed weights, is again a two-sided decayed sum:
its keys are −log Z_t and its values g_t. Only y and log Z are kept for it.

Letters: B sequences, T tokens, C channels, S stacked value streams; w decay, u bonus, k keys, v values.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .function import BiWKVFunction
from .operator import bi_wkv_operator

__all__ = ["bi_wkv", "bi_wkv_reference"]


def bi_wkv_reference(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Apply Bi-WKV by its definition, with the full (T, T) matrix of weights.

    Args and errors are those of `bi_wkv`; memory is quadratic in T. It is the twin that `bi_wkv` is tested against.
    """
    _check(w, u, k, v)
    position = torch.arange(k.shape[1], device=k.device)
    distance = (position[:, None] - position).abs()[..., None]  # (T, T, 1)
    bias = torch.where(distance == 0, u, -(distance - 1) * w)  # (T, T, C)
    weights = torch.softmax(bias + k[:, None], dim=2)  # (B, T, T, C)
    return torch.einsum("btic,bic->btc", weights, v)


def bi_wkv(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Apply bidirectional weighted key-value attention in time and memory linear in the number of tokens.

    Differentiable in all four arguments, once backwards and once forwards (`torch.func.jvp`), on any device; takes part
    in `torch.compile`, `torch.export` and `torch.func.vmap` as one operator. Sums are accumulated in float32 or better.

    Args:
        w: decay per token of distance, ``(C,)``; any sign.
        u: bonus of a token's own key, ``(C,)``.
        k: keys, ``(B, T, C)``; any strides.
        v: values, ``(B, T, C)``; any strides.

    Returns:
        The attended values, ``(B, T, C)``, in the dtype of ``v``.

    Raises:
        ValueError: when the shapes do not fit together, numbers are not floating, or the tensors are on several
            devices.

    Example:
        >>> import torch
        >>> w, u = torch.zeros(2), torch.zeros(2)
        >>> k, v = torch.zeros(1, 3, 2), torch.arange(6.0).reshape(1, 3, 2)
        >>> bi_wkv(w, u, k, v)[0, 0]  # equal weights: the mean over tokens
        tensor([2., 3.])
    """
    _check(w, u, k, v)
    apply: Any = bi_wkv_operator if torch.compiler.is_compiling() else BiWKVFunction.apply
    output: Tensor = apply(w, u, k, v)[0].to(v.dtype)
    return output


def _check(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> None:
    if (
        k.ndim != 3
        or k.shape[1] < 1
        or k.shape[2] < 1
        or v.shape != k.shape
        or w.shape != k.shape[-1:]
        or u.shape != w.shape
    ):
        raise ValueError(
            "bi_wkv expects w (C,), u (C,), k (B, T, C) and v (B, T, C) with T, C >= 1, "
            f"got w {tuple(w.shape)}, u {tuple(u.shape)}, k {tuple(k.shape)}, v {tuple(v.shape)}"
        )
    dtypes, devices = ([getattr(x, name) for x in (w, u, k, v)] for name in ("dtype", "device"))
    if not all(dtype.is_floating_point for dtype in dtypes):
        raise ValueError(f"bi_wkv expects floating-point w, u, k, v; got {', '.join(map(str, dtypes))}: convert them")
    if len(set(devices)) > 1:
        raise ValueError(f"bi_wkv expects w, u, k, v on one device, got {', '.join(map(str, devices))}: move them")
