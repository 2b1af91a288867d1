# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import pytest
import torch

from monai_feat.ops import bi_wkv, bi_wkv_reference
from tests.monai_feat.ops.scans import arguments, relative_error


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 7, 5), (1, 40, 2)], ids=str)
@pytest.mark.parametrize("key_scale", [1.0, 80.0])
def test_the_derivative_is_that_of_the_dense_twin(shape: tuple[int, int, int], key_scale: float) -> None:
    given = tuple(arguments(*shape, key_scale=key_scale)[:4])
    for chosen in itertools.chain(*(itertools.combinations(range(4), n) for n in (1, 4))):
        tangents = [torch.randn_like(x) if i in chosen else torch.zeros_like(x) for i, x in enumerate(given)]
        expected = torch.func.jvp(bi_wkv_reference, given, tuple(tangents))
        torch.testing.assert_close(torch.func.jvp(bi_wkv, given, tuple(tangents)), expected, rtol=1e-9, atol=1e-10)


def test_gradcheck_forwards() -> None:
    given = [x.requires_grad_() for x in arguments(2, 5, 3)[:4]]
    assert torch.autograd.gradcheck(bi_wkv, given, check_forward_ad=True, check_backward_ad=False)


def test_float32_is_exact_at_length() -> None:
    given = [x.float() for x in arguments(1, 4096, 4)[:4]]
    tangents = tuple(torch.randn_like(x) for x in given)
    expected = torch.func.jvp(bi_wkv, tuple(x.double() for x in given), tuple(x.double() for x in tangents))[1]
    assert relative_error(torch.func.jvp(bi_wkv, tuple(given), tangents)[1], expected) < 1e-5


def test_only_along_the_argument_that_moves() -> None:
    w, u, k, v, _ = arguments(2, 6, 3)
    dv = torch.randn_like(v)
    y, dy = torch.func.jvp(lambda x: bi_wkv(w, u, k, x), (v,), (dv,))
    torch.testing.assert_close(y, bi_wkv(w, u, k, v))
    torch.testing.assert_close(dy, bi_wkv(w, u, k, dv))  # linear in the values
    half = torch.func.jvp(lambda x: bi_wkv(w, u, k.bfloat16(), x), (v.bfloat16(),), (dv.bfloat16(),))[1]
    assert half.dtype == torch.bfloat16
