# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bi-WKV and its gradient on a CPU, compiled by numba: one walk over the tokens each way, with states in cache.

Formulas and letters are those of `bi_wkv`. Channels are independent: a lane of `WIDTH` of them, of one sequence, is
walked at once, and lanes are shared out to threads. All that a token needs lies in one float64 array, the desk, in rows
of `WIDTH` numbers: loops over a single array are what the compiler turns into vector instructions.

A state is two sums and the exponent that they are relative to. The exponent rises only when a key exceeds it, and then
to `HEADROOM` above the key: nearly all factors that a state is multiplied with are 1, so that long sequences do not
drift.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from monai.utils import optional_import
from torch import Tensor

numba, _ = optional_import("numba")

__all__ = ["compiled_backward", "compiled_forward"]

WIDTH = 32
HEADROOM = 8.0
EMPTY = -1e300  # exponent of an empty sum

# Rows of the desk: a token, two states (two sums, exponent), two that were stored on the way there, gradients.
KEY, VALUE, ONE, GRAD, GRAD_OUTPUT, MINUS_LOG, DECAY, BONUS = (row * WIDTH for row in range(8))
STATE, TURNED, STORED, STORED_TURNED = (row * WIDTH for row in (8, 11, 14, 17))
GRAD_KEY, GRAD_VALUE, GRAD_DECAY, GRAD_BONUS = (row * WIDTH for row in range(20, 24))
ROWS, TWO, THREE, SIX = (count * WIDTH for count in (24, 2, 3, 6))


def _part(function: Callable[..., Any]) -> Any:
    return numba.njit(fastmath={"contract"}, error_model="numpy", inline="always")(function)


def _whole(function: Callable[..., Any]) -> Any:
    """Compile without Python's lock; keep the result on disk where there is a place for it."""
    options = dict(nogil=True, fastmath={"contract"}, error_model="numpy")
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither this folder nor the user's can be written
        return numba.njit(**options)(function)


@_part
def _exp(exponent: float) -> float:
    """Return e^x as good as float32 (Cephes' expf), for x up to about 80; for x below −87 that of −87."""
    x = max(np.float32(exponent), np.float32(-87.0))
    whole = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - whole * np.float32(0.693359375) + whole * np.float32(2.12194440e-4)  # x − whole · ln 2
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1.0)
    power_of_two = np.int32(np.int32(np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return float(p * power_of_two)


@_part
def _copy(source: Any, start: int, target: Any, place: int, count: int) -> None:
    for c in range(count):
        target[place + c] = source[start + c]


@_part
def _clear(desk: Any, state: int) -> None:
    for c in range(TWO):
        desk[state + c] = 0.0
    for c in range(WIDTH):
        desk[state + TWO + c] = EMPTY


@_part
def _enter(desk: Any, state: int, key: int, first: int, second: int) -> None:
    """Let a state decay and take in the values of a token."""
    for c in range(WIDTH):
        scale = desk[state + TWO + c] - desk[DECAY + c]
        above = desk[key + c] - scale
        rises = above > 0.0
        factor = _exp(-above - HEADROOM if rises else above)
        keep = factor if rises else 1.0
        enter = 3.3546262790251185e-4 if rises else factor  # e^−HEADROOM
        desk[state + c] = desk[state + c] * keep + desk[first + c] * enter
        desk[state + WIDTH + c] = desk[state + WIDTH + c] * keep + desk[second + c] * enter
        desk[state + TWO + c] = desk[key + c] + HEADROOM if rises else scale


@_part
def _attend(desk: Any) -> None:
    """Leave numerator, denominator and exponent of a token in the place of the stored state."""
    for c in range(WIDTH):
        own = desk[KEY + c] + desk[BONUS + c]
        peak = max(max(desk[STORED + TWO + c], desk[STATE + TWO + c]), own)
        a, b, d = _exp(own - peak), _exp(desk[STORED + TWO + c] - peak), _exp(desk[STATE + TWO + c] - peak)
        desk[STORED + c] = a * desk[VALUE + c] + b * desk[STORED + c] + d * desk[STATE + c]
        desk[STORED + WIDTH + c] = a + b * desk[STORED + WIDTH + c] + d * desk[STATE + WIDTH + c]
        desk[STORED + TWO + c] = peak


@_part
def _collect(desk: Any) -> None:
    """Add up a token's gradients: earlier tokens are in the stored states, later ones in the others."""
    for c in range(WIDTH):
        key = desk[KEY + c]
        own = _exp(key + desk[BONUS + c] + desk[MINUS_LOG + c])  # p_tt
        earlier, later = _exp(key + desk[STORED_TURNED + TWO + c]), _exp(key + desk[TURNED + TWO + c])
        g = own * desk[GRAD + c] + earlier * desk[STORED_TURNED + c] + later * desk[TURNED + c]
        gy = own * desk[GRAD_OUTPUT + c]
        desk[GRAD_BONUS + c] += own * desk[GRAD + c] * desk[VALUE + c] - gy
        gy += earlier * desk[STORED_TURNED + WIDTH + c] + later * desk[TURNED + WIDTH + c]
        desk[GRAD_VALUE + c] = g
        desk[GRAD_KEY + c] = desk[VALUE + c] * g - gy


@_part
def _collect_decay(desk: Any) -> None:
    """Add what passes through a token, from before it to later ones and the other way, to the gradient of the decay."""
    for c in range(WIDTH):
        rightwards = _exp(desk[STORED + TWO + c] + desk[TURNED + TWO + c] - desk[DECAY + c])
        leftwards = _exp(desk[STATE + TWO + c] + desk[STORED_TURNED + TWO + c] - desk[DECAY + c])
        right = desk[STORED + c] * desk[TURNED + c] - desk[STORED + WIDTH + c] * desk[TURNED + WIDTH + c]
        left = desk[STATE + c] * desk[STORED_TURNED + c] - desk[STATE + WIDTH + c] * desk[STORED_TURNED + WIDTH + c]
        desk[GRAD_DECAY + c] -= rightwards * right + leftwards * left


@_part
def _begin(lane: int, num_channels: int, w: Any, u: Any, desk: Any) -> tuple[int, int, int]:
    """Put a lane's decays and bonuses on the desk; return its sequence, first channel and number of channels."""
    lanes = (num_channels + WIDTH - 1) // WIDTH
    channel = lane % lanes * WIDTH
    count = min(WIDTH, num_channels - channel)
    _copy(w, channel, desk, DECAY, count)
    _copy(u, channel, desk, BONUS, count)
    return lane // lanes, channel, count


@_whole
def _forward(
    lanes: Any, shape: Any, steps: Any, w: Any, u: Any, k: Any, v: Any, output: Any, total: Any, peak: Any
) -> None:
    """Walk some lanes; steps are the strides of k and v, and what is written has none."""
    num_tokens, num_channels = shape
    desk, stored = np.zeros(ROWS), np.empty(num_tokens * THREE)
    desk[ONE : ONE + WIDTH] = 1.0
    for lane in range(lanes[0], lanes[1]):
        row, channel, count = _begin(lane, num_channels, w, u, desk)
        _clear(desk, STATE)
        for t in range(num_tokens):
            _copy(k, row * steps[0][0] + t * steps[0][1] + channel, desk, KEY, count)
            _copy(v, row * steps[1][0] + t * steps[1][1] + channel, desk, VALUE, count)
            _copy(desk, STATE, stored, t * THREE, THREE)
            _enter(desk, STATE, KEY, VALUE, ONE)
        _clear(desk, STATE)
        for t in range(num_tokens - 1, -1, -1):
            _copy(k, row * steps[0][0] + t * steps[0][1] + channel, desk, KEY, count)
            _copy(v, row * steps[1][0] + t * steps[1][1] + channel, desk, VALUE, count)
            _copy(stored, t * THREE, desk, STORED, THREE)
            _attend(desk)
            place = (row * num_tokens + t) * num_channels + channel
            for c in range(count):
                output[place + c] = desk[STORED + c] / desk[STORED + WIDTH + c]
            _copy(desk, STORED + WIDTH, total, place, count)
            _copy(desk, STORED + TWO, peak, place, count)
            _enter(desk, STATE, KEY, VALUE, ONE)


@_part
def _lay_out(
    desk: Any, row: int, t: int, channel: int, count: int, steps: Any, k: Any, v: Any, y: Any, z: Any, g: Any
) -> None:
    """Put a token on the desk: key, value, output, log-denominator, gradient."""
    _copy(k, row * steps[0][0] + t * steps[0][1] + channel, desk, KEY, count)
    _copy(v, row * steps[1][0] + t * steps[1][1] + channel, desk, VALUE, count)
    _copy(g, row * steps[4][0] + t * steps[4][1] + channel, desk, GRAD, count)
    y_place, z_place = row * steps[2][0] + t * steps[2][1] + channel, row * steps[3][0] + t * steps[3][1] + channel
    for c in range(count):
        desk[GRAD_OUTPUT + c] = desk[GRAD + c] * y[y_place + c]
        desk[MINUS_LOG + c] = -z[z_place + c]


@_whole
def _backward(
    lanes: Any, shape: Any, steps: Any, w: Any, u: Any, k: Any, v: Any, y: Any, z: Any, g: Any,
    grad_w: Any, grad_u: Any, grad_k: Any, grad_v: Any,
) -> None:  # fmt: skip
    """Walk some lanes; steps are the strides of k, v, output y, log-denominator z and gradient g."""
    num_tokens, num_channels = shape
    desk, stored = np.zeros(ROWS), np.empty(num_tokens * SIX)
    desk[ONE : ONE + WIDTH] = 1.0
    for lane in range(lanes[0], lanes[1]):
        row, channel, count = _begin(lane, num_channels, w, u, desk)
        _copy(grad_w, channel, desk, GRAD_DECAY, count)
        _copy(grad_u, channel, desk, GRAD_BONUS, count)
        _clear(desk, STATE)
        _clear(desk, TURNED)
        for t in range(num_tokens):
            _lay_out(desk, row, t, channel, count, steps, k, v, y, z, g)
            _copy(desk, STATE, stored, t * SIX, SIX)
            _enter(desk, STATE, KEY, VALUE, ONE)
            _enter(desk, TURNED, MINUS_LOG, GRAD, GRAD_OUTPUT)
        _clear(desk, STATE)
        _clear(desk, TURNED)
        for t in range(num_tokens - 1, -1, -1):
            _lay_out(desk, row, t, channel, count, steps, k, v, y, z, g)
            _copy(stored, t * SIX, desk, STORED, SIX)
            _collect(desk)
            _collect_decay(desk)
            place = (row * num_tokens + t) * num_channels + channel
            _copy(desk, GRAD_KEY, grad_k, place, count)
            _copy(desk, GRAD_VALUE, grad_v, place, count)
            _enter(desk, STATE, KEY, VALUE, ONE)
            _enter(desk, TURNED, MINUS_LOG, GRAD, GRAD_OUTPUT)
        _copy(desk, GRAD_DECAY, grad_w, channel, count)
        _copy(desk, GRAD_BONUS, grad_u, channel, count)


def compiled_forward(w: Tensor, u: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return the attended values and the logarithms of their denominators, in float32 and float64."""
    k, v = k.float(), v.float()
    output, total = torch.empty(k.shape), torch.empty(k.shape)
    peak = torch.empty(k.shape, dtype=torch.float64)
    given, steps = _flat(k, v)
    parameters, written = _flat(w.double(), u.double())[0], _flat(output, total, peak)[0]
    _share(k, lambda lanes: _forward(lanes, tuple(k.shape[1:]), steps, *parameters, *given, *written))
    return output, peak.add_(total.log_())


def compiled_backward(
    w: Tensor, u: Tensor, k: Tensor, v: Tensor, output: Tensor, log_denominator: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of w, u, k and v, given that of the output, in their dtypes."""
    dtypes = [x.dtype for x in (w, u, k, v)]
    k, v, grad = k.float(), v.float(), grad.float()
    grad_k, grad_v = torch.empty(k.shape), torch.empty(k.shape)
    given, steps = _flat(k, v, output, log_denominator, grad)
    parameters, written = _flat(w.double(), u.double())[0], _flat(grad_k, grad_v)[0]

    def walk(lanes: tuple[int, int]) -> Tensor:
        sums = torch.zeros(2, k.shape[2], dtype=torch.float64)
        _backward(lanes, tuple(k.shape[1:]), steps, *parameters, *given, *sums.numpy(), *written)
        return sums

    sums = torch.stack(_share(k, walk)).sum(dim=0).float()
    gradients = (sums[0].clone(), sums[1].clone(), grad_k, grad_v)  # what an operator returns shares no memory
    grad_w, grad_u, grad_k, grad_v = (x.to(dtype) for x, dtype in zip(gradients, dtypes, strict=True))
    return grad_w, grad_u, grad_k, grad_v


def _flat(*tensors: Tensor) -> tuple[list[Any], tuple[tuple[int, int], ...]]:
    """Return each tensor's memory as a flat array, with its strides over sequences and tokens; channels are dense."""
    dense = [x if x.stride(-1) == 1 else x.contiguous() for x in tensors]
    spans = [1 + sum((n - 1) * step for n, step in zip(x.shape, x.stride(), strict=True)) for x in dense]
    flat = [x.as_strided((max(span, 0),), (1,)).numpy() for x, span in zip(dense, spans, strict=True)]
    return flat, tuple((x.stride()[0], x.stride()[-2]) for x in dense if x.ndim == 3)


def _share(k: Tensor, walk: Callable[[tuple[int, int]], Any]) -> list[Any]:
    """Let each of torch's threads walk as many lanes."""
    num_lanes, num_threads = k.shape[0] * -(-k.shape[2] // WIDTH), torch.get_num_threads()
    bounds = [num_lanes * i // num_threads for i in range(num_threads + 1)]
    shares = list(pairwise(bounds))
    if num_threads == 1:
        return [walk(shares[0])]
    with ThreadPoolExecutor(num_threads) as pool:
        return list(pool.map(walk, shares))
