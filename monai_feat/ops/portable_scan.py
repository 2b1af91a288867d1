# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bi-WKV and its gradient on any device, out of plain tensor operations; formulas and letters are those of `bi_wkv`."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .decayed_sums import exponent_dtype, sum_dtype, two_sided_sums

__all__ = ["portable_backward", "portable_forward"]

# Sequences and channels are independent. On a CPU, pieces whose temporaries stay in its second-level cache are up to 4
# times faster than all at once.
CPU_PIECE = 2**15


def portable_forward(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return the attended values and the logarithms of their denominators, both ``(B, T, C)``."""
    w, u, k, v = (x.to(sum_dtype(k, v)) for x in (w, u, k, v))
    output = torch.empty(v.shape, dtype=v.dtype, device=v.device)
    log_denominator = torch.empty(v.shape, dtype=exponent_dtype(v.device), device=v.device)
    for rows, columns in _pieces(k):
        here = rows, slice(None), columns
        output[here], log_denominator[here] = _forward(w[columns], u[columns], k[here], v[here])
    return output, log_denominator


def portable_backward(
    w: Tensor, u: Tensor, k: Tensor, v: Tensor, output: Tensor, log_denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of w, u, k and v, given that of the output."""
    dtypes = [x.dtype for x in (w, u, k, v)]
    w, u, k, v, grad = (x.to(output.dtype) for x in (w, u, k, v, grad))
    grad_w, grad_u = (torch.zeros_like(x) for x in (w, u))
    grad_k, grad_v = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (k, v))
    for rows, columns in _pieces(k):
        here = rows, slice(None), columns
        kept = (x[here] for x in (k, v, output, log_denominator, grad))
        piece_w, piece_u, grad_k[here], grad_v[here] = _backward(w[columns], u[columns], *kept)
        grad_w[columns] += piece_w
        grad_u[columns] += piece_u
    grad_w, grad_u, grad_k, grad_v = (x.to(t) for x, t in zip((grad_w, grad_u, grad_k, grad_v), dtypes, strict=True))
    return grad_w, grad_u, grad_k, grad_v


def _pieces(k: Tensor) -> Iterator[tuple[slice, slice]]:
    """Yield the sequences and channels of each piece."""
    num_sequences, num_tokens, num_channels = k.shape
    if k.device.type != "cpu":
        yield slice(None), slice(None)
        return
    columns = min(num_channels, max(64, CPU_PIECE // num_tokens))
    rows = max(1, CPU_PIECE // (num_tokens * columns))
    for row in range(0, num_sequences, rows):
        for column in range(0, num_channels, columns):
            yield slice(row, row + rows), slice(column, column + columns)


def _forward(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    streams = torch.stack((v, torch.ones_like(v)))  # (2, B, T, C): numerator, denominator
    before, after = two_sided_sums(w, k, streams)
    own = u + k.to(before.scale.dtype)
    peak = torch.maximum(torch.maximum(before.scale, after.scale), own)

    def relative(exponent: Tensor) -> Tensor:
        return torch.exp((exponent - peak).to(v.dtype))

    total = relative(own) * streams
    total.addcmul_(before.sums, relative(before.scale)).addcmul_(after.sums, relative(after.scale))
    return total[0] / total[1], peak + total[1].log()


def _backward(
    w: Tensor, u: Tensor, k: Tensor, v: Tensor, y: Tensor, log_denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    before, after = two_sided_sums(w, k, torch.stack((v, torch.ones_like(v))))
    streams = torch.stack((grad, grad * y))  # (2, B, T, C)
    earlier, later = two_sided_sums(w, -log_denominator, streams)

    def weight(exponent: Tensor) -> Tensor:
        return torch.exp(exponent.to(v.dtype))

    own = weight(u + k.to(log_denominator.dtype) - log_denominator)  # p_tt
    transposed = own * streams  # Σ_t p_ti (g_t, g_t y_t)
    transposed.addcmul_(earlier.sums, weight(k + earlier.scale)).addcmul_(later.sums, weight(k + later.scale))
    grad_u = (own * grad * (v - y)).sum(dim=(0, 1))
    # A pair (i, s) decays once for every token t strictly between them: ∂L/∂w sums over t what passes through it.
    passing = weight(before.scale + later.scale - w) * (before.sums[0] * later.sums[0] - before.sums[1] * later.sums[1])
    passing += weight(after.scale + earlier.scale - w) * (
        after.sums[0] * earlier.sums[0] - after.sums[1] * earlier.sums[1]
    )
    return -passing.sum(dim=(0, 1)), grad_u, v * transposed[0] - transposed[1], transposed[0]
