# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch

from monai_feat.ops import bi_wkv, bi_wkv_reference
from tests.monai_feat.ops.scans import arguments, relative_error

onnxscript, onnxruntime = (pytest.importorskip(name) for name in ("onnxscript", "onnxruntime"))


@pytest.fixture(scope="module")
def session() -> Any:
    """The scan alone as a model."""
    from monai_feat.exporters.onnx_scan import scan_bi_wkv

    single, double = onnxscript.FLOAT, onnxscript.DOUBLE
    inputs, outputs = [single["C"], single["C"], *2 * [single["B", "T", "C"]]], [single[...], double[...]]
    model = scan_bi_wkv.to_model_proto(input_types=inputs, output_types=outputs)
    return onnxruntime.InferenceSession(model.SerializeToString())


def run(session: Any, given: list[torch.Tensor]) -> list[torch.Tensor]:
    inputs = dict(zip("wukv", (x.numpy() for x in given), strict=True))
    return [torch.from_numpy(x) for x in session.run(None, inputs)]


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 7, 5), (3, 2, 1), (1, 300, 4)], ids=str)
@pytest.mark.parametrize("key_scale", [1.0, 50.0])
def test_the_dense_twin(session: Any, shape: tuple[int, int, int], key_scale: float) -> None:
    given = [x.float() for x in arguments(*shape, key_scale=key_scale)[:4]]
    output, _ = run(session, given)
    assert relative_error(output, bi_wkv_reference(*(x.double() for x in given))) < 3e-6


def test_denominators_are_the_operators(session: Any) -> None:
    given = [x.float() for x in arguments(2, 9, 3)[:4]]
    expected = list(torch.ops.monai_feat.bi_wkv(*given))
    torch.testing.assert_close(run(session, given), expected, rtol=1e-5, atol=1e-6)


def test_memory_and_time_are_linear(session: Any) -> None:
    """Ten thousand tokens at once: the weights of one channel would take 0.4 GB."""
    given = [x.float() for x in arguments(1, 10_000, 2)[:4]]
    assert relative_error(run(session, given)[0], bi_wkv(*(x.double() for x in given))) < 3e-6


def test_shapes_that_do_not_fit_are_refused(session: Any) -> None:
    w, u, k, v = (x.float() for x in arguments(2, 9, 3)[:4])
    with pytest.raises(Exception, match=r"(?i)dimension|shape"):
        run(session, [w, u, k, v[:, :5]])
