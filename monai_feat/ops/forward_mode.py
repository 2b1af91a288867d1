# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The forward-mode derivative of Bi-WKV, as `torch.func.jvp` and `torch.autograd.forward_ad` ask for it.

With n = |t − i| − 1 for i ≠ t, weights p_ti change by p_ti (da_ti − Σ_j p_tj da_tj), where da_ti = dk_i − n dw and
da_tt = dk_t + du. So every sum that is needed is one of the operator's own,

    dy_t = Σ_i p_ti (dv_i + dk_i v_i) − y_t Σ_i p_ti dk_i + du p_tt (v_t − y_t) − dw Σ_{i≠t} p_ti n (v_i − y_t),

but for the last. There, a pair decays once for every token between its two: it is a decayed sum of decayed sums.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .decayed_sums import two_sided_sums
from .operator import bi_wkv_operator

__all__ = ["bi_wkv_tangent"]


def bi_wkv_tangent(saved: Sequence[Tensor], tangents: Sequence[Tensor | None]) -> Tensor:
    """Return the derivative of the output.

    Args:
        saved: w, u, k, v, the output and its log-denominators.
        tangents: of w, u, k and v; None where there is none.
    """
    w, u, k, v, y, log_denominator = saved
    w, u, k, v = (x.to(y.dtype) for x in (w, u, k, v))
    dw, du, dk, dv = tangents
    tangent = torch.zeros_like(y)
    if dv is not None:
        tangent = tangent + _average(w, u, k, dv)
    if dk is not None:
        tangent = tangent + _average(w, u, k, dk * v) - y * _average(w, u, k, dk)
    if du is not None:
        own = torch.exp((u + k - log_denominator).to(y.dtype))  # p_tt
        tangent = tangent + du * own * (v - y)
    if dw is not None:
        tangent = tangent - dw * _distance_weighted(w, k, v, y, log_denominator)
    return tangent


def _distance_weighted(w: Tensor, k: Tensor, v: Tensor, y: Tensor, log_denominator: Tensor) -> Tensor:
    """Return Σ_{i≠t} p_ti n (v_i − y_t), ``(B, T, C)``."""
    sides = two_sided_sums(w, k, torch.stack((v, torch.ones_like(v))))
    total = torch.zeros_like(y)
    for side, sums in enumerate(sides):
        keys = torch.where(sums.scale.isinf(), k, sums.scale)  # an empty sum is zero whatever its exponent
        numerator, scale = two_sided_sums(w, keys, sums.sums)[side]
        total = total + torch.exp((scale - w - log_denominator).to(y.dtype)) * (numerator[0] - y * numerator[1])
    return total


def _average(w: Tensor, u: Tensor, k: Tensor, x: Tensor) -> Tensor:
    output: Tensor = bi_wkv_operator(w, u, k, x.to(k.dtype))[0]
    return output
