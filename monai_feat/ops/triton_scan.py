# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bi-WKV and its gradient on NVIDIA GPUs, one Triton kernel each: both streams, there and back, in one launch.

Formulas and letters are those of `bi_wkv`. A program walks `WIDTH` channels of one sequence over its tokens, stores the
states on the way there and meets them on the way back. States are float64 numbers: two sums and the exponent that they
are relative to, which rises only when a key exceeds it, and then to `HEADROOM` above the key, so that nearly all
factors of a state are 1 and long sequences do not drift. Inputs may be of any type up to float32 and of any strides.
"""

from __future__ import annotations

from typing import Any

import torch
from monai.utils import optional_import
from torch import Tensor

triton, _ = optional_import("triton")
tl, _ = optional_import("triton.language")

__all__ = ["triton_backward", "triton_forward"]

WIDTH = 32  # channels of a program, which is one warp: many small programs hide the latency of memory


@triton.jit
def _enter(first, second, scale, decay, key, x, y):
    """Let a state decay and take in the values of a token."""
    scale = scale - decay
    above = key - scale
    rises = above > 0
    factor = tl.exp(tl.where(rises, -above - 8, above).to(tl.float32)).to(tl.float64)  # HEADROOM is 8
    keep = tl.where(rises, factor, 1.0)
    enter = tl.where(rises, 0.00033546262790251185, factor)  # e^−8
    return first * keep + x * enter, second * keep + y * enter, tl.where(rises, key + 8, scale)


@triton.jit
def _exp(x):
    return tl.exp(x.to(tl.float32)).to(tl.float64)


@triton.jit
def _load(pointer, row, t, column, row_step, step, column_step, inside):
    return tl.load(pointer + row * row_step + t * step + column * column_step, mask=inside, other=0).to(tl.float64)


@triton.jit
def _program(w, u, num_channels, WIDTH: tl.constexpr):
    """Which sequence a program walks, which channels, which of these there are, their decays and bonuses."""
    column = tl.program_id(1) * WIDTH + tl.arange(0, WIDTH)
    inside = column < num_channels
    decay = tl.load(w + column, mask=inside, other=0).to(tl.float64)
    bonus = tl.load(u + column, mask=inside, other=0).to(tl.float64)
    return tl.program_id(0).to(tl.int64), column, inside, decay, bonus


@triton.jit
def _nothing(WIDTH: tl.constexpr):
    """The state before any token."""
    zero = tl.full([WIDTH], 0, tl.float64)
    return zero, zero, tl.full([WIDTH], -1e300, tl.float64)


@triton.jit
def _keep(sums, scales, place, plane, inside, first, second, scale):
    tl.store(sums + place, first, mask=inside)
    tl.store(sums + plane + place, second, mask=inside)
    tl.store(scales + place, scale, mask=inside)


@triton.jit
def _kept(sums, scales, place, plane, inside):
    first = tl.load(sums + place, mask=inside, other=0).to(tl.float64)
    second = tl.load(sums + plane + place, mask=inside, other=0).to(tl.float64)
    return first, second, tl.load(scales + place, mask=inside, other=0)


@triton.jit
def _forward(
    w, u, k, v, output, log_denominator, sums, scales,
    k_row, k_step, k_column, v_row, v_step, v_column, num_tokens, num_channels, plane, WIDTH: tl.constexpr,
):  # fmt: skip
    row, column, inside, decay, bonus = _program(w, u, num_channels, WIDTH)
    one = tl.full([WIDTH], 1, tl.float64)
    num, den, scale = _nothing(WIDTH)
    for t in range(num_tokens):
        place = (row * num_tokens + t) * num_channels + column
        _keep(sums, scales, place, plane, inside, num, den, scale)
        key = _load(k, row, t, column, k_row, k_step, k_column, inside)
        value = _load(v, row, t, column, v_row, v_step, v_column, inside)
        num, den, scale = _enter(num, den, scale, decay, key, value, one)
    tl.debug_barrier()
    num, den, scale = _nothing(WIDTH)
    for i in range(num_tokens):
        t = num_tokens - 1 - i
        place = (row * num_tokens + t) * num_channels + column
        key = _load(k, row, t, column, k_row, k_step, k_column, inside)
        value = _load(v, row, t, column, v_row, v_step, v_column, inside)
        before_num, before_den, before = _kept(sums, scales, place, plane, inside)
        own = key + bonus
        peak = tl.maximum(tl.maximum(before, scale), own)
        here, left, right = _exp(own - peak), _exp(before - peak), _exp(scale - peak)
        total = here * value + right * num + left * before_num
        weight = here + right * den + left * before_den
        tl.store(output + place, (total / weight).to(tl.float32), mask=inside)
        tl.store(log_denominator + place, peak + tl.log(weight.to(tl.float32)), mask=inside)
        num, den, scale = _enter(num, den, scale, decay, key, value, one)


@triton.jit
def _token(
    k, v, output, log_denominator, grad, row, t, column, place, inside,
    k_row, k_step, k_column, v_row, v_step, v_column, g_row, g_step, g_column,
):  # fmt: skip
    """Key, value, gradient, output and negative logarithm of the denominator of a token."""
    key = _load(k, row, t, column, k_row, k_step, k_column, inside)
    value = _load(v, row, t, column, v_row, v_step, v_column, inside)
    change = _load(grad, row, t, column, g_row, g_step, g_column, inside)
    y = tl.load(output + place, mask=inside, other=0).to(tl.float64)
    return key, value, change, y, -tl.load(log_denominator + place, mask=inside, other=0)


@triton.jit
def _backward(
    w, u, k, v, output, log_denominator, grad, grad_w, grad_u, grad_k, grad_v, sums, scales,
    k_row, k_step, k_column, v_row, v_step, v_column, g_row, g_step, g_column,
    num_tokens, num_channels, plane, WIDTH: tl.constexpr,
):  # fmt: skip
    row, column, inside, decay, bonus = _program(w, u, num_channels, WIDTH)
    one = tl.full([WIDTH], 1, tl.float64)
    num, den, scale = _nothing(WIDTH)
    g, gy, turned = _nothing(WIDTH)  # Σ p_t g_t, Σ p_t g_t y_t
    for t in range(num_tokens):
        place = (row * num_tokens + t) * num_channels + column
        _keep(sums, scales, place, plane, inside, num, den, scale)
        _keep(sums + 2 * plane, scales + plane, place, plane, inside, g, gy, turned)
        key, value, change, y, minus_log = _token(
            k, v, output, log_denominator, grad, row, t, column, place, inside,
            k_row, k_step, k_column, v_row, v_step, v_column, g_row, g_step, g_column,
        )  # fmt: skip
        num, den, scale = _enter(num, den, scale, decay, key, value, one)
        g, gy, turned = _enter(g, gy, turned, decay, minus_log, change, change * y)
    tl.debug_barrier()
    num, den, scale = _nothing(WIDTH)
    g, gy, turned = _nothing(WIDTH)
    sum_w, sum_u = tl.full([WIDTH], 0, tl.float64), tl.full([WIDTH], 0, tl.float64)
    for i in range(num_tokens):
        t = num_tokens - 1 - i
        place = (row * num_tokens + t) * num_channels + column
        key, value, change, y, minus_log = _token(
            k, v, output, log_denominator, grad, row, t, column, place, inside,
            k_row, k_step, k_column, v_row, v_step, v_column, g_row, g_step, g_column,
        )  # fmt: skip
        before_num, before_den, before = _kept(sums, scales, place, plane, inside)
        earlier_g, earlier_gy, earlier = _kept(sums + 2 * plane, scales + plane, place, plane, inside)
        own = _exp(key + bonus + minus_log) * change  # p_tt g_t
        left, right = _exp(key + earlier), _exp(key + turned)
        to_value = own + left * earlier_g + right * g
        to_key = value * to_value - (own * y + left * earlier_gy + right * gy)
        tl.store(grad_v + place, to_value.to(tl.float32), mask=inside)
        tl.store(grad_k + place, to_key.to(tl.float32), mask=inside)
        sum_u += own * (value - y)
        sum_w -= _exp(before + turned - decay) * (before_num * g - before_den * gy)
        sum_w -= _exp(scale + earlier - decay) * (num * earlier_g - den * earlier_gy)
        num, den, scale = _enter(num, den, scale, decay, key, value, one)
        g, gy, turned = _enter(g, gy, turned, decay, minus_log, change, change * y)
    tl.store(grad_w + row * num_channels + column, sum_w, mask=inside)
    tl.store(grad_u + row * num_channels + column, sum_u, mask=inside)


def triton_forward(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return the attended values and the logarithms of their denominators, in float32 and float64."""
    output = torch.empty(v.shape, device=v.device)
    log_denominator, scales = torch.empty(2, *k.shape, dtype=torch.float64, device=k.device).unbind()
    sums = torch.empty(2, *k.shape, device=k.device)
    _launch(_forward, k, w, u, k, v, output, log_denominator, sums, scales, *k.stride(), *v.stride())
    return output, log_denominator


def triton_backward(
    w: Tensor, u: Tensor, k: Tensor, v: Tensor, output: Tensor, log_denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of w, u, k and v, in their dtypes, given that of the output."""
    rows, channels = k.shape[0], k.shape[2]
    grad_w, grad_u = torch.empty(2, rows, channels, dtype=torch.float64, device=k.device).unbind()
    grad_k, grad_v = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (k, v))
    sums = torch.empty(4, *k.shape, device=k.device)
    scales = torch.empty(2, *k.shape, dtype=torch.float64, device=k.device)
    given = (w, u, k, v, output.contiguous(), log_denominator.contiguous(), grad)
    strides = (*k.stride(), *v.stride(), *grad.stride())
    _launch(_backward, k, *given, grad_w, grad_u, grad_k, grad_v, sums, scales, *strides)
    return grad_w.sum(dim=0).to(w.dtype), grad_u.sum(dim=0).to(u.dtype), grad_k, grad_v


def _launch(kernel: Any, k: Tensor, *args: Any) -> None:
    rows, num_tokens, num_channels = k.shape
    if not rows:
        return
    with torch.cuda.device_of(k):
        grid = rows, triton.cdiv(num_channels, WIDTH)
        kernel[grid](*args, num_tokens, num_channels, k.numel(), WIDTH=WIDTH, num_warps=1)
