# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The numbers are tested in test_kernels.py."""

from __future__ import annotations

import math

import pytest
import torch

from tests.monai_feat.ops.scans import WITHOUT_NUMBA, arguments, kernels

pytestmark = WITHOUT_NUMBA


def test_no_sequences() -> None:
    w, u, k, v, grad = (x.float() for x in arguments(0, 4, 3))
    forward, backward = kernels("compiled")
    y, log_denominator = forward(w, u, k, v)
    assert y.shape == (0, 4, 3)
    grad_w, grad_u, grad_k, _ = backward(w, u, k, v, y, log_denominator, grad)
    assert grad_k.shape == (0, 4, 3)
    assert not torch.cat((grad_w, grad_u)).any()


def test_exponential_is_as_good_as_float32() -> None:
    from monai_feat.ops.compiled_scan import _exp

    for x in torch.linspace(-87, 40, 1000, dtype=torch.float64).tolist():
        assert _exp(x) == pytest.approx(math.exp(x), rel=3e-7 + 6e-8 * abs(x))
    assert 0 < _exp(-1e300) < 1e-37
    assert math.isnan(_exp(math.nan))


def test_what_is_not_a_number_stays_in_its_channel() -> None:
    w, u, k, v, _ = (x.float() for x in arguments(1, 5, 40))
    k[0, 2, 7] = math.nan
    y = kernels("compiled").forward(w, u, k, v)[0]
    bad = y.isnan().any(dim=1)[0]
    assert bad[7]
    assert bad.sum() == 1
