# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from monai_feat.ops import bi_wkv, bi_wkv_reference
from tests.monai_feat.ops.scans import arguments


def test_gradients_per_sample() -> None:
    """`torch.func.vmap` over `torch.func.grad`, decays included."""
    w, u, k, v, _ = arguments(4, 5, 3)

    def loss(w: Tensor, k: Tensor) -> Tensor:
        return bi_wkv(w, u, k[None], v[:1]).square().sum()

    grads = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)), in_dims=(None, 0))(w, k)
    for i in range(4):
        torch.testing.assert_close(tuple(g[i] for g in grads), torch.func.grad(loss, argnums=(0, 1))(w, k[i]))


def test_gradients_flow_where_a_derivative_goes_forwards() -> None:
    """What flow-map training does: the derivative along a path is a target, the output itself is trained."""
    w, u, k, v, _ = arguments(2, 5, 3)
    dv = torch.randn_like(v)
    results = []
    for function in (bi_wkv, bi_wkv_reference):
        leaf = k.clone().requires_grad_()
        y, dy = torch.func.jvp(lambda x, f=function, k=leaf: f(w, u, k * x.mean(), x), (v,), (dv,))
        (y - dy.detach()).square().sum().backward()
        results.append((y.detach(), dy.detach(), leaf.grad))
    torch.testing.assert_close(results[0], results[1])


def test_a_second_backward_pass_says_what_to_do() -> None:
    w, u, k, v, _ = arguments(1, 3, 2)
    v.requires_grad_()
    (grad,) = torch.autograd.grad(bi_wkv(w, u, k, v).square().sum(), v, create_graph=True)
    with pytest.raises(NotImplementedError, match=r"once backwards: .* torch.func.jvp .* or bi_wkv_reference"):
        grad.sum().backward()
