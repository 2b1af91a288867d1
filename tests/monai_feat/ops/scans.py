# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the scans share: inputs, gradients, errors, and a choice of the implementation."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from monai_feat.ops.kernels import PORTABLE, Kernels

NAMES = ("output", "w", "u", "k", "v")
WITHOUT_TRITON = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")
WITHOUT_NUMBA = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")


def arguments(B: int, T: int, C: int, key_scale: float = 1.0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Random w, u, k, v and output gradient; half of the decays are negative."""
    shapes = (C,), (C,), (B, T, C), (B, T, C), (B, T, C)
    w, u, k, v, grad = (torch.randn(shape, dtype=dtype) for shape in shapes)
    return [w / T, u / T, k * key_scale, v, grad]


def with_gradients(function: Any, w: Tensor, u: Tensor, k: Tensor, v: Tensor, grad: Tensor) -> list[Tensor]:
    leaves = [x.detach().clone().requires_grad_() for x in (w, u, k, v)]
    output = function(*leaves)
    return [output.detach(), *torch.autograd.grad(output, leaves, grad)]


def relative_error(found: Tensor, expected: Tensor) -> float:
    """Largest error, relative to the largest number of the expected tensor."""
    scale = expected.abs().max().item()
    return (found.double() - expected.double()).abs().max().item() / (scale or 1.0)


def assert_close(found: list[Tensor], expected: list[Tensor], bound: float) -> None:
    errors = {name: relative_error(*pair) for name, *pair in zip(NAMES, found, expected, strict=True)}
    assert all(error <= bound for error in errors.values()), errors


def kernels(name: str) -> Kernels:
    """Return an implementation by name, Triton's as its interpreter runs it on a CPU."""
    if name == "portable":
        return PORTABLE
    module = interpreted() if name == "triton" else importlib.import_module(f"monai_feat.ops.{name}_scan")
    return Kernels(getattr(module, f"{name}_forward"), getattr(module, f"{name}_backward"))


@cache
def interpreted() -> ModuleType:
    """Return a copy of the module of Triton kernels, which chose on import whether they are interpreted."""
    importlib.import_module("triton.language")  # Triton's own functions chose, too, and are not interpreted
    spec = find_spec("monai_feat.ops.triton_scan")
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        spec.loader.exec_module(module)
    return module


def use(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `bi_wkv` run on one implementation."""
    chosen = kernels(name)
    monkeypatch.setattr("monai_feat.ops.operator.kernels_for", lambda k, v: chosen)
