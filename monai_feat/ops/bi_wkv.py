# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bidirectional weighted key-value attention (Bi-WKV), a softmax over distance-decayed keys at linear cost.

Source: Vision-RWKV (arXiv 2403.02308, Equation 5), as FEAT uses it (arXiv 2506.04956). For channel c of one sequence

    y_t = Σ_i p_ti v_i,   p_t = softmax_i(a_ti),   a_ti = k_i − (|t − i| − 1) w  for i ≠ t,   a_tt = u + k_t.

`bi_wkv_reference` is that definition, quadratic in T. `bi_wkv` is the same map in O(T): every pair i < t factors
through the state between them, A_{t+1} = e^{−w} A_t + e^{k_t} v_t, and every pair i > t through the mirrored one. All
states are kept relative to a running maximum of their exponents, so keys of any size and decays of any sign neither
overflow nor vanish.

Letters: B sequences, T tokens, C channels, S stacked value streams; w decay, u bonus, k keys, v values.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["bi_wkv", "bi_wkv_reference"]

# Sequences are independent. On the CPU, pieces of them whose temporaries the allocator reuses are up to 4 times faster
# than all at once, whose temporaries the system maps and zeroes anew.
CPU_PIECE = 2**20


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

    Differentiable once in all four arguments, on any device. Sums are accumulated in float32, or in float64 for float64
    inputs.

    Args:
        w: decay per token of distance, ``(C,)``; any sign.
        u: bonus of a token's own key, ``(C,)``.
        k: keys, ``(B, T, C)``.
        v: values, ``(B, T, C)``.

    Returns:
        The attended values, ``(B, T, C)``, in the dtype of ``v``.

    Raises:
        ValueError: when the shapes do not fit together.

    Example:
        >>> import torch
        >>> w, u = torch.zeros(2), torch.zeros(2)
        >>> k, v = torch.zeros(1, 3, 2), torch.arange(6.0).reshape(1, 3, 2)
        >>> bi_wkv(w, u, k, v)[0, 0]  # equal weights: the mean over tokens
        tensor([2., 3.])
    """
    _check(w, u, k, v)
    dtype = torch.promote_types(torch.promote_types(k.dtype, v.dtype), torch.float32)
    w, u = w.to(dtype), u.to(dtype)  # here, so that the gradients of pieces are added up in this precision
    rows = max(1, CPU_PIECE // k.shape[1:].numel()) if k.device.type == "cpu" else max(1, k.shape[0])
    pieces = zip(k.split(rows), v.split(rows), strict=True)
    return torch.cat([_BiWKV.apply(w, u, *piece) for piece in pieces])  # type: ignore[no-untyped-call]


def _check(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> None:
    if k.ndim != 3 or 0 in k.shape[1:] or v.shape != k.shape or w.shape != k.shape[-1:] or u.shape != w.shape:
        raise ValueError(
            "bi_wkv expects w (C,), u (C,), k (B, T, C) and v (B, T, C) with T, C >= 1, "
            f"got w {tuple(w.shape)}, u {tuple(u.shape)}, k {tuple(k.shape)}, v {tuple(v.shape)}"
        )


def _one_sided_sums(w: Tensor, k: Tensor, values: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """Sum decayed values over the tokens strictly before (or, reversed, strictly after) each token.

    Args:
        w: decay, ``(C,)``.
        k: keys, ``(B, T, C)``.
        values: S streams that share the keys, ``(S, B, T, C)``.
        reverse: sum over later tokens instead of earlier ones.

    Returns:
        ``sums (S, B, T, C)`` and ``scale (B, T, C)`` with
        sums_t · e^{scale_t} = Σ_{i<t} e^{k_i − (t−1−i) w} values_i; an empty sum has scale −∞.
    """
    num_tokens = k.shape[1]
    order = range(num_tokens - 1, -1, -1) if reverse else range(num_tokens)
    scale = torch.empty_like(k)
    running = torch.full_like(k[:, 0], -torch.inf)  # (B, C)
    for t in order:
        scale[:, t] = running
        running = torch.maximum(running - w, k[:, t])
    following = scale.roll(1 if reverse else -1, dims=1)  # scale of the state that token t hands on
    following[:, order[-1]] = running
    keep = torch.exp(scale - w - following)  # (B, T, C)
    entering = torch.exp(k - following) * values  # (S, B, T, C)
    sums = torch.empty_like(values)
    state = torch.zeros_like(values[:, :, 0])  # (S, B, C)
    for t in order:
        sums[:, :, t] = state
        state = torch.addcmul(entering[:, :, t], keep[:, t], state)
    return sums, scale


def _two_sided_sums(w: Tensor, k: Tensor, values: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    return _one_sided_sums(w, k, values, reverse=False), _one_sided_sums(w, k, values, reverse=True)


class _BiWKV(torch.autograd.Function):
    """The linear-time map with its gradient, which is the same scan run over the transposed weights.

    With log Z_t the log-denominator of token t, p_ti = e^{a_ti − log Z_t}. So Σ_t p_ti g_t, the product with the
    transposed weights, is again a two-sided decayed sum: its keys are −log Z_t and its values g_t.
    """

    @staticmethod
    def forward(ctx: Any, w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> Tensor:
        key, value = k.to(w.dtype), v.to(w.dtype)
        streams = torch.stack((value, torch.ones_like(value)))  # (2, B, T, C): numerator, denominator
        (before, scale_before), (after, scale_after) = _two_sided_sums(w, key, streams)
        own = u + key
        peak = torch.maximum(torch.maximum(scale_before, scale_after), own)
        total = torch.exp(own - peak) * streams
        total.addcmul_(before, torch.exp(scale_before - peak)).addcmul_(after, torch.exp(scale_after - peak))
        output = total[0] / total[1]
        log_denominator = peak + total[1].log()
        ctx.save_for_backward(w, u, key, value, output, log_denominator, before, scale_before, after, scale_after)
        ctx.dtypes = k.dtype, v.dtype
        return output.to(v.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, ...]:
        w, u, k, v, y, log_denominator, before, scale_before, after, scale_after = ctx.saved_tensors
        grad = grad_output.to(y.dtype)
        streams = torch.stack((grad, grad * y))  # (2, B, T, C)
        (earlier, scale_earlier), (later, scale_later) = _two_sided_sums(w, -log_denominator, streams)
        own = torch.exp(u + k - log_denominator)  # p_tt
        transposed = own * streams  # Σ_t p_ti (g_t, g_t y_t)
        transposed.addcmul_(earlier, torch.exp(k + scale_earlier)).addcmul_(later, torch.exp(k + scale_later))
        grad_v = transposed[0]
        grad_k = v * transposed[0] - transposed[1]
        grad_u = (own * grad * (v - y)).sum(dim=(0, 1))
        # A pair (i, s) decays once for every token t strictly between them: ∂L/∂w sums over t what passes through it.
        passing = torch.exp(scale_before + scale_later - w) * (before[0] * later[0] - before[1] * later[1])
        passing += torch.exp(scale_after + scale_earlier - w) * (after[0] * earlier[0] - after[1] * earlier[1])
        grad_w = -passing.sum(dim=(0, 1))
        key_dtype, value_dtype = ctx.dtypes
        return grad_w, grad_u, grad_k.to(key_dtype), grad_v.to(value_dtype)
