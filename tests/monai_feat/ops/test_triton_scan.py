# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Kernels compiled ahead of time, without a GPU; their numbers are tested in test_kernels.py."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.monai_feat.ops.scans import WITHOUT_TRITON, arguments, kernels

pytestmark = WITHOUT_TRITON

DTYPES = {torch.float32: "*fp32", torch.bfloat16: "*bf16", torch.float16: "*fp16"}


def signature(kernel: Any, dtype: torch.dtype) -> dict[str, str]:
    """Return Triton's types of a kernel's arguments where keys, values and gradients are of one type."""
    doubles = {"log_denominator", "scales", "grad_w", "grad_u"}
    floats = {"w", "u", "output", "sums"}
    numbers = {
        name for name in kernel.arg_names if name.startswith("num_") or name.endswith(("_row", "_step", "_column"))
    }
    types = dict.fromkeys(doubles, "*fp64") | dict.fromkeys(floats, "*fp32")
    types |= dict.fromkeys(numbers, "i32") | {"plane": "i64", "WIDTH": "constexpr"}
    return {name: types.get(name, DTYPES[dtype]) for name in kernel.arg_names}


@pytest.mark.parametrize("capability", [80, 90, 100])
@pytest.mark.parametrize("name", ["_forward", "_backward"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_compiles_ahead_of_time(name: str, capability: int, dtype: torch.dtype) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from monai_feat.ops import triton_scan

    kernel = getattr(triton_scan, name)
    source = ASTSource(kernel, signature(kernel, dtype), constexprs={"WIDTH": triton_scan.WIDTH})
    compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32), options={"num_warps": 1})
    assert compiled.asm["cubin"][:4] == b"\x7fELF"
    assert f".target sm_{capability}" in compiled.asm["ptx"]
    assert "ex2.approx" in compiled.asm["ptx"]  # exponentials in float32
    assert compiled.metadata.shared == 0  # programs talk to no one


def test_no_sequences() -> None:
    w, u, k, v, grad = (x.float() for x in arguments(0, 4, 3))
    forward, backward = kernels("triton")
    y, log_denominator = forward(w, u, k, v)
    grad_w, grad_u, grad_k, _ = backward(w, u, k, v, y, log_denominator, grad)
    assert y.shape == grad_k.shape == (0, 4, 3)
    assert not torch.cat((grad_w, grad_u)).any()
