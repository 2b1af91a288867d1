# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.inferers import SimpleInferer
from torch import Tensor, nn

from monai_feat.inferers import AutocastInferer
from monai_feat.networks.nets import FEAT, FEAT_PRESETS


class Spy(nn.Module):
    """A linear map that remembers the type its product had."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(64, 64)
        self.seen: list[torch.dtype] = []

    def forward(self, x: Tensor, twice: bool = False) -> Any:
        y = self.map(x)
        self.seen.append(y.dtype)
        return (y, y) if twice else y


@pytest.mark.parametrize(("precision", "inside"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_products_are_of_the_precision_and_results_are_float32(precision: Any, inside: torch.dtype) -> None:
    network, x = Spy(), torch.randn(8, 64)
    inferer = AutocastInferer(SimpleInferer(), precision)
    plain, (one, two) = inferer(x, network), inferer(x, network, twice=True)
    assert network.seen == [inside] * 2
    assert {plain.dtype, one.dtype, two.dtype} == {torch.float32}
    expected = nn.functional.linear(x.to(inside), network.map.weight.to(inside), network.map.bias.to(inside))
    torch.testing.assert_close(plain, expected.float(), rtol=0, atol=0)


def saved_bytes(network: nn.Module, x: Tensor, precision: Any) -> tuple[int, Tensor]:
    """Return how many bytes of activations are kept for the backward pass, and the result."""
    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    storages: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = AutocastInferer(SimpleInferer(), precision)(x, network, torch.tensor([9]))
    return sum(storages.values()), result


def test_half_precision_saves_memory_and_little_else() -> None:
    torch.manual_seed(0)
    network, x = FEAT(**FEAT_PRESETS["pico"]), torch.randn(1, 4, 4, 16, 16)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05)  # at its start, FEAT is nearly the identity
    (whole, expected), (half, found) = (saved_bytes(network, x, name) for name in ("float32", "bfloat16"))
    assert half < 0.9 * whole
    difference = (found - expected).std() / expected.std()
    assert 1e-5 < difference < 0.03
    found.mean().backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    assert {gradient.dtype for gradient in gradients} == {torch.float32}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_float16_on_cuda() -> None:
    network = Spy().cuda()
    assert AutocastInferer(SimpleInferer(), "float16")(torch.randn(8, 64).cuda(), network).dtype == torch.float32
    assert network.seen == [torch.float16]


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(ValueError, match="expected a precision of float32, bfloat16, float16; got 'half'"):
        AutocastInferer(SimpleInferer(), "half")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="set the precision to bfloat16"):
        AutocastInferer(SimpleInferer(), "float16")(torch.ones(1, 64), Spy())
