# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Exponentially decayed sums over the tokens before and after each token, in few plain tensor operations.

The sums are a linear recurrence, S_{t+1} = e^{−w} S_t + e^{k_t} x_t. A sequence of T tokens takes about 5 log₂ T
operations on whole tensors, by a scan that works in place (Brent and Kung, 1982): first the sums of blocks of 2, 4, 8 …
tokens, then those of all prefixes from them.

Three things keep float32 exact for any length and keys of any size. Exponents are counted from the first token,
q_i = k_i + i w, in float64, so that their running maximum is a selection that rounds nothing. Every factor is an
exponential of a difference of two of them, at most 1. And states are kept relative to that maximum rounded up to a
multiple of `HEADROOM`, so that nearly all of the factors that a state is multiplied with are 1: products of thousands
of rounded ones would drift.

Letters: S streams of values, B sequences, T tokens, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["DecayedSums", "exponent_dtype", "sum_dtype", "two_sided_sums"]


HEADROOM = 8.0  # in exponents; the rounding of e^−8 costs nothing, and T e^8 does not overflow


class DecayedSums(NamedTuple):
    """Sums on one side of every token, as a mantissa and an exponent: sums · e^scale."""

    sums: Tensor
    """Mantissas, ``(S, B, T, C)``."""
    scale: Tensor
    """Exponents that all streams share, ``(B, T, C)``; −∞ where the sum is empty."""


def exponent_dtype(device: torch.device) -> torch.dtype:
    """Return the precision of exponents: float64, but for Apple's GPUs, which have none."""
    return torch.float32 if device.type == "mps" else torch.float64


def sum_dtype(k: Tensor, v: Tensor) -> torch.dtype:
    """Return the precision of sums: float32, or float64 where keys or values are."""
    return torch.promote_types(torch.promote_types(k.dtype, v.dtype), torch.float32)


def two_sided_sums(w: Tensor, k: Tensor, values: Tensor) -> tuple[DecayedSums, DecayedSums]:
    """Sum decayed values over the tokens strictly before, and strictly after, each token.

    Args:
        w: decay, ``(C,)``; any sign.
        k: keys, ``(B, T, C)``.
        values: streams that share the keys, ``(S, B, T, C)``.

    Returns:
        Σ_{i<t} e^{k_i − (t−1−i) w} values_i and Σ_{i>t} e^{k_i − (i−1−t) w} values_i.
    """
    dtype = exponent_dtype(k.device)
    keys = torch.stack((k, k.flip(1))).to(dtype)  # (2, B, T, C): forwards, backwards
    decayed = torch.arange(k.shape[1], device=k.device, dtype=dtype)[:, None] * w.to(dtype)  # (T, C)
    exponent = keys + decayed  # q
    peak = torch.ceil(_running_maximum(exponent) / HEADROOM) * HEADROOM
    entering = torch.exp((exponent - peak).to(values.dtype))
    keep = torch.exp((peak.roll(1, dims=2) - peak).to(values.dtype))  # of the first token, which nothing uses, any
    state = _linear_recurrence(keep, entering * torch.stack((values, values.flip(2)), dim=1))  # (S, 2, B, T, C)
    sums = F.pad(state[..., :-1, :], (0, 0, 1, 0))  # a token's own value is not in its sums
    scale = F.pad((peak - decayed)[..., :-1, :], (0, 0, 1, 0), value=-torch.inf)
    return DecayedSums(sums[:, 0], scale[0]), DecayedSums(sums[:, 1].flip(2), scale[1].flip(1))


def _running_maximum(x: Tensor) -> Tensor:
    """Return the maximum of all tokens up to each one of ``(..., T, C)``."""
    maximum = x.clone()

    def combine(right: slice, left: slice, last: bool) -> None:
        target = maximum[..., right, :]
        torch.maximum(target, maximum[..., left, :], out=target)

    _scan(x.shape[-2], combine)
    return maximum


def _linear_recurrence(keep: Tensor, entering: Tensor) -> Tensor:
    """Return state_t = keep_t · state_{t−1} + entering_t over ``(..., T, C)``; overwrites both."""

    def combine(right: slice, left: slice, last: bool) -> None:
        entering[..., right, :].addcmul_(keep[..., right, :], entering[..., left, :])
        if not last:
            keep[..., right, :].mul_(keep[..., left, :])

    _scan(keep.shape[-2], combine)
    return entering


def _scan(num_tokens: int, combine: Callable[[slice, slice, bool], None]) -> None:
    """Combine every token with all before it, by ``combine(right, left, last)`` in place on slices of tokens.

    ``last`` says that the right tokens are whole prefixes from then on.
    """
    span = 1
    while 2 * span <= num_tokens:  # blocks of 2·span tokens: their right half, at its end, takes in the left half
        combine(*_every(2 * span - 1, span, num_tokens), False)
        span *= 2
    while span > 1:  # half a block after a whole prefix becomes a prefix
        span //= 2
        if 3 * span <= num_tokens:
            combine(*_every(3 * span - 1, span, num_tokens), True)


def _every(first: int, span: int, num_tokens: int) -> tuple[slice, slice]:
    """Return every 2·span-th token from the first on, and those a span before them."""
    last = range(first, num_tokens, 2 * span)[-1]
    return slice(first, last + 1, 2 * span), slice(first - span, last - span + 1, 2 * span)
