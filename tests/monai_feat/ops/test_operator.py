# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.ops import bi_wkv
from monai_feat.ops.operator import bi_wkv_backward_operator, bi_wkv_operator
from tests.monai_feat.ops.scans import arguments


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_torch_finds_no_fault_with_the_operators(dtype: torch.dtype) -> None:
    w, u, k, v, grad = (x.to(dtype) for x in arguments(2, 5, 3))
    outputs = bi_wkv_operator(w, u, k, v)
    torch.library.opcheck(bi_wkv_operator, (w, u, k, v))
    torch.library.opcheck(bi_wkv_operator, tuple(x.clone().requires_grad_() for x in (w, u, k, v)))
    torch.library.opcheck(bi_wkv_backward_operator, (w, u, k, v, *outputs, grad))


def test_used_twice_in_one_graph() -> None:
    w, u, k, v, grad = arguments(2, 5, 3)
    v.requires_grad_()
    once = torch.autograd.grad(bi_wkv(w, u, k, v), v, grad)[0]
    (both,) = torch.autograd.grad(bi_wkv(w, u, k, v) + bi_wkv(w, u, k, v), v, grad)
    torch.testing.assert_close(both, 2 * once)
    y = bi_wkv(w, u, k, bi_wkv(w, u, k, v))  # twice in a row, as space is scanned
    assert torch.autograd.grad(y, v, grad)[0].isfinite().all()


def test_shapes_without_numbers() -> None:
    w, u, k, v, _ = (x.to("meta").requires_grad_() for x in arguments(2, 5, 3, dtype=torch.bfloat16))
    y = bi_wkv(w, u, k.float(), v)
    assert (y.shape, y.dtype, y.device.type) == ((2, 5, 3), torch.bfloat16, "meta")
    y.sum().backward()
    assert (w.grad.shape, k.grad.dtype) == ((3,), torch.bfloat16)


@pytest.mark.parametrize(
    "mapped", [(None, None, 0, 0), (None, None, 1, None), (0, 1, 0, 0), (1, None, None, 3)], ids=str
)
def test_vmap_is_a_loop(mapped: tuple[int | None, ...]) -> None:
    batched = [torch.stack([x, 2 * x, -x], dim=dim or 0) for x, dim in zip(arguments(2, 5, 3)[:4], mapped, strict=True)]
    given = [x if dim is not None else x[0] for x, dim in zip(batched, mapped, strict=True)]
    found = torch.func.vmap(bi_wkv, in_dims=mapped)(*given)
    for i in range(3):
        alone = [x if dim is None else x.select(dim, i) for x, dim in zip(given, mapped, strict=True)]
        torch.testing.assert_close(found[i], bi_wkv(*alone))
