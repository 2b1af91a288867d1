# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.ops.decayed_sums import exponent_dtype, two_sided_sums


@pytest.mark.parametrize("num_tokens", [1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 64])
@pytest.mark.parametrize("decay", [-3.0, 0.0, 0.4])
def test_every_sum_is_its_definition(num_tokens: int, decay: float) -> None:
    w = torch.randn(2, dtype=torch.float64) + decay
    k = 20 * torch.randn(3, num_tokens, 2, dtype=torch.float64)
    values = torch.randn(2, 3, num_tokens, 2, dtype=torch.float64)
    sides = two_sided_sums(w, k, values)
    for t in range(num_tokens):
        for side, others in zip(sides, (range(t), range(t + 1, num_tokens)), strict=True):
            exponents = [k[:, i] - (abs(t - i) - 1) * w for i in others]
            if not exponents:
                assert not side.sums[:, :, t].any()
                assert (side.scale[:, t] == -torch.inf).all()
                continue
            peak = torch.stack(exponents).amax(dim=0)
            expected = sum((e - peak).exp() * values[:, :, i] for e, i in zip(exponents, others, strict=True))
            torch.testing.assert_close(side.sums[:, :, t] * (side.scale[:, t] - peak).exp(), expected)


def test_nothing_overflows() -> None:
    k = torch.tensor([3e4, -3e4, 0.0, 2e4])[None, :, None]
    for sums, _ in two_sided_sums(torch.tensor([50.0]), k, torch.ones(1, 1, 4, 1)):
        assert sums.isfinite().all()
        assert sums.abs().max() <= 4


def test_only_apples_gpus_have_no_float64() -> None:
    assert exponent_dtype(torch.device("cuda")) == exponent_dtype(torch.device("cpu")) == torch.float64
    assert exponent_dtype(torch.device("mps")) == torch.float32
