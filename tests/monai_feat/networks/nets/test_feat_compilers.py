# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""FEAT under torch.export and torch.compile, and how many operations it launches."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.ops.kernels import PORTABLE
from tests.bench.launches import count_launches


def pico() -> FEAT:
    network = FEAT(**FEAT_PRESETS["pico"])
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    return network.eval()


def launches(size: int) -> int:
    """Count the operations of a forward pass of FEAT-S on a clip whose latents are so many pixels high and wide."""
    with torch.device("meta"):
        network, x = FEAT(**FEAT_PRESETS["S"]), torch.empty(1, 4, 16, size, size)
        with torch.no_grad():
            return count_launches(lambda: network(x, torch.zeros(1))).total()


def test_few_launches_with_one_operation_for_a_scan() -> None:
    assert launches(16) <= 1700
    assert launches(64) == launches(16)


def test_few_launches_of_plain_operations_that_grow_as_the_logarithm(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "monai_feat.networks.mixers.weighted_key_value.bi_wkv"
    monkeypatch.setattr(module, lambda w, u, k, v: PORTABLE.forward(w, u, k, v)[0])
    at_128, at_256, at_512 = (launches(size) for size in (16, 32, 64))
    assert at_128 <= 3500
    assert at_512 - at_256 == at_256 - at_128  # four times the tokens, the same number more
    assert at_512 <= 1.2 * at_128


@pytest.mark.slow  # half a minute of solving for symbolic sizes
def test_exported_for_any_batch_length_and_size(tmp_path: Any) -> None:
    network = pico()
    dims = {0: torch.export.Dim("batch", max=64), 2: torch.export.Dim("frames", max=512)}
    half_height, half_width = torch.export.Dim("h", max=256), torch.export.Dim("w", max=256)
    shapes = {"x": {**dims, 3: 2 * half_height, 4: 2 * half_width}, "timesteps": {0: dims[0]}}
    example = torch.randn(2, 4, 3, 8, 12), torch.tensor([3.0, 700.0])
    with torch.no_grad():
        program = torch.export.export(network, example, dynamic_shapes=shapes)
        torch.export.save(program, tmp_path / "feat.pt2")
        exported = torch.export.load(tmp_path / "feat.pt2").module()
        for x, t in (example, (torch.randn(3, 4, 7, 6, 4), torch.tensor([1.0, 2.0, 3.0]))):
            torch.testing.assert_close(exported(x, t), network(x, t), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_one_graph_with_gradients() -> None:
    """By a backend that needs no compiler; fullgraph says that nothing falls out of the graph."""
    network, x, t = pico(), torch.randn(2, 4, 3, 4, 6), torch.tensor([3.0, 700.0])
    graphs = []

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
        graphs.append(graph)
        return graph

    compiled = torch.compile(network, fullgraph=True, backend=backend)
    results = []
    for function in (network, compiled):
        network.zero_grad()
        output = function(x, t)
        output.square().mean().backward()
        results.append((output.detach(), [p.grad.clone() for p in network.parameters()]))
    torch._dynamo.reset()
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=1e-5)
    scans = [node for node in graphs[0].graph.nodes if "monai_feat" in str(node.target)]
    assert len(graphs) == 1
    assert len(scans) == 3 * FEAT_PRESETS["pico"]["num_layers"]
