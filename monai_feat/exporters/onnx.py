# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""FEAT as an ONNX model, of standard operators only: for onnxruntime and other programs that have no torch."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from monai_feat.files import replacing
from monai_feat.networks.nets import FEAT

if TYPE_CHECKING:
    from torch.onnx import ONNXProgram

__all__ = ["ONNX_OPSET", "export_onnx"]

ONNX_OPSET = 18
LARGEST_FILE = 2**31 - 1  # bytes of a protocol buffer


def export_onnx(network: FEAT, path: str | os.PathLike[str]) -> None:
    """Write a network as one ONNX file that takes clips of any number, length and size.

    The file's inputs are ``x``, ``(batch, C, frames, height, width)``, and ``timesteps``, ``(batch,)`` in float32; its
    output is ``prediction``. A scan is one `Scan` over its tokens, at linear cost. A network with conditions is written
    as it answers when nothing is asked for.

    Args:
        network: in float32, on any device.
        path: the file; what was there before is replaced when all is done.

    Raises:
        ImportError: onnx or onnxscript are not installed.
        ValueError: weights are not float32, or too large for one file.
    """
    _check(network)
    program = _program(network)
    with replacing(path) as file:
        file.write(program.model_proto.SerializeToString())


def _program(network: FEAT) -> ONNXProgram:
    from monai_feat.exporters.onnx_scan import scan_bi_wkv

    example = _example(network)
    with torch.no_grad():
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            verbose=False,
            opset_version=ONNX_OPSET,
            input_names=["x", "timesteps"],
            output_names=["prediction"],
            dynamic_shapes=({0: "batch", 2: "frames", 3: "height", 4: "width"}, {0: "batch"}),
            custom_translation_table={torch.ops.monai_feat.bi_wkv.default: scan_bi_wkv},
        )
    assert program is not None
    return program


def _example(network: FEAT) -> tuple[Tensor, Tensor]:
    """Return inputs whose sizes all differ, so that none is taken for another."""
    device, p = next(network.parameters()).device, network.patch_size
    return torch.zeros(2, network.in_channels, 3, 4 * p, 6 * p, device=device), torch.tensor([3.0, 7.0], device=device)


def _check(network: FEAT) -> None:
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ImportError(f'export_onnx needs {" and ".join(missing)}: pip install "monai-feat[onnx]"')
    weights: list[Any] = [*network.parameters()]
    if wrong := sorted({str(x.dtype) for x in weights} - {"torch.float32"}):
        raise ValueError(f"export_onnx takes networks in float32, got weights in {', '.join(wrong)}: network.float()")
    if (size := sum(4 * x.numel() for x in weights)) >= LARGEST_FILE:
        raise ValueError(f"an ONNX file holds 2 GiB at most, the weights take {size / 2**30:.1f}: export fewer layers")
