# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from monai_feat.exporters import ONNX_OPSET, export_onnx
from monai_feat.networks.nets import FEAT, FEAT_PRESETS

onnx, _, onnxruntime = (pytest.importorskip(name) for name in ("onnx", "onnxscript", "onnxruntime"))


def one_layer() -> FEAT:
    network = FEAT(**{**FEAT_PRESETS["pico"], "num_layers": 1})
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    return network


@pytest.mark.slow  # torch solves for symbolic sizes
def test_onnxruntime_gives_the_numbers_of_torch_for_any_batch_length_and_size(tmp_path: Path) -> None:
    network, path = one_layer(), tmp_path / "feat.onnx"
    export_onnx(network, path)
    assert [file.name for file in tmp_path.iterdir()] == ["feat.onnx"]
    session = onnxruntime.InferenceSession(path)
    assert [x.shape for x in session.get_inputs()] == [["batch", 4, "frames", "height", "width"], ["batch"]]
    for shape in ((2, 4, 3, 8, 12), (3, 4, 7, 6, 4), (1, 4, 1, 2, 2)):
        x, t = torch.randn(shape), 1000 * torch.rand(shape[0])
        (found,) = session.run(None, {"x": x.numpy(), "timesteps": t.numpy()})
        with torch.no_grad():
            expected = network(x, t)
        assert (torch.from_numpy(found) - expected).norm() <= 1e-4 * expected.norm()
    model = onnx.load(path)
    onnx.checker.check_model(model)
    assert {opset.version for opset in model.opset_import if not opset.domain} == {ONNX_OPSET}


def test_what_cannot_be_exported_leaves_the_file_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "feat.onnx"
    path.write_bytes(b"earlier")
    with pytest.raises(ValueError, match=r"networks in float32, got weights in torch\.bfloat16: network\.float\(\)"):
        export_onnx(one_layer().bfloat16(), path)
    with torch.device("meta"):
        large = FEAT(**FEAT_PRESETS["L"])
    with pytest.raises(ValueError, match=r"2 GiB at most, the weights take 2\.\d"):
        export_onnx(large, path)
    monkeypatch.setattr("monai_feat.exporters.onnx.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'needs onnx and onnxscript: pip install "monai-feat\[onnx\]"'):
        export_onnx(one_layer(), path)
    assert path.read_bytes() == b"earlier"
