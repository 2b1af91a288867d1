# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A mixer against its slow twin: outputs and the gradients of inputs and parameters, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

__all__ = ["assert_twins", "randomised"]


def randomised(module: nn.Module, std: float = 0.6) -> nn.Module:
    """The module in float64, with every parameter random."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=std)
    return module.double()


def assert_twins(
    fast: Callable[..., Tensor], slow: Callable[..., Tensor], inputs: Sequence[Tensor], parameters: Sequence[Tensor]
) -> None:
    inputs = [x.requires_grad_() for x in inputs]
    found, expected = fast(*inputs), slow(*inputs)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(found)
    for x in (*inputs, *parameters):
        gradients = [torch.autograd.grad((y * weights).sum(), x, retain_graph=True)[0] for y in (found, expected)]
        torch.testing.assert_close(*gradients)
