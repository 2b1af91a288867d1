# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from torch.autograd import gradcheck

from monai_feat.ops import linear_recurrence


def test_equals_sums_of_products() -> None:
    a, x = torch.rand(2, 5, 3, dtype=torch.float64), torch.randn(2, 5, 3, dtype=torch.float64)
    found = linear_recurrence(a, x)
    for t in range(5):
        terms = [x[:, i] * a[:, i + 1 : t + 1].prod(dim=1) for i in range(t + 1)]
        torch.testing.assert_close(found[:, t], sum(terms))


def test_gradients() -> None:
    a, x, h = (torch.rand(1, *size, dtype=torch.float64, requires_grad=True) for size in ((3, 2), (3, 2), (2,)))
    assert gradcheck(linear_recurrence, (a, x, h), check_forward_ad=True)


def test_goes_on_from_a_state_to_the_bit() -> None:
    a, x = torch.rand(1, 7, 2), torch.randn(1, 7, 2)
    first = linear_recurrence(a[:, :3], x[:, :3])
    second = linear_recurrence(a[:, 3:], x[:, 3:], first[:, -1])
    assert torch.equal(torch.cat((first, second), dim=1), linear_recurrence(a, x))


def test_half_precision_adds_up_in_float32() -> None:
    assert linear_recurrence(*torch.rand(2, 1, 3, 1, dtype=torch.bfloat16)).dtype == torch.float32
