# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Every implementation against the dense twin in float64, and against the promised precision of float32."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from monai_feat.ops import bi_wkv, bi_wkv_reference
from monai_feat.ops.kernels import PORTABLE, kernels_for
from tests.monai_feat.ops.scans import (
    WITHOUT_NUMBA,
    WITHOUT_TRITON,
    arguments,
    assert_close,
    kernels,
    relative_error,
    use,
    with_gradients,
)

IMPLEMENTATIONS = pytest.mark.parametrize(
    "name", ["portable", pytest.param("compiled", marks=WITHOUT_NUMBA), pytest.param("triton", marks=WITHOUT_TRITON)]
)


def norm_errors(found: list[Tensor], expected: list[Tensor]) -> list[float]:
    return [((x.double() - y).norm() / y.norm()).item() for x, y in zip(found, expected, strict=True)]


@IMPLEMENTATIONS
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 3), (3, 2, 1), (2, 7, 5), (1, 24, 4), (2, 9, 33)], ids=str)
def test_the_dense_twin_with_gradients(name: str, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    use(name, monkeypatch)
    given = [x.float() for x in arguments(*shape)]
    expected = with_gradients(bi_wkv_reference, *(x.double() for x in given))
    assert_close(with_gradients(bi_wkv, *given), expected, 3e-6)


# Triton's interpreter takes some hundredths of a second for a token.
AT_LENGTH = pytest.mark.parametrize(
    ("name", "num_tokens"),
    [
        ("portable", 1024),
        ("portable", 16_384),
        pytest.param("compiled", 16_384, marks=WITHOUT_NUMBA),
        pytest.param("triton", 24, marks=WITHOUT_TRITON),
    ],
)


@AT_LENGTH
@pytest.mark.parametrize("key_scale", [1.0, 10.0, 50.0])
def test_float32_is_exact_at_any_length(
    name: str, num_tokens: int, key_scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative to float64, which `test_the_dense_twin_with_gradients` and the golden numbers tie down."""
    w, u, k, v, grad = (x.float() for x in arguments(1, num_tokens, 4))
    k = key_scale * (2 * torch.rand(k.shape) - 1)
    expected = with_gradients(bi_wkv, *(x.double() for x in (w, u, k, v, grad)))
    use(name, monkeypatch)
    output, *gradients = norm_errors(with_gradients(bi_wkv, w, u, k, v, grad), expected)
    assert output <= 3e-6
    assert max(gradients) <= 2e-5, gradients


@AT_LENGTH
@pytest.mark.parametrize("slope", [-3e-3, 0.0, 1e-4])
def test_rising_and_falling_keys_do_not_drift(
    name: str, num_tokens: int, slope: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running maximum that rises by the same little at every token must not add up the rounding of one factor."""
    w, u, _, v, grad = (x.float() for x in arguments(1, num_tokens, 3))
    k = (slope * torch.arange(num_tokens, dtype=torch.float32))[None, :, None].expand(1, -1, 3)
    expected = with_gradients(bi_wkv, *(x.double() for x in (w, u, k, v + 1, grad + 1)))
    use(name, monkeypatch)
    output, *gradients = norm_errors(with_gradients(bi_wkv, w, u, k, v + 1, grad + 1), expected)
    assert output <= 3e-6
    assert max(gradients[1:]) <= 2e-5, gradients


@IMPLEMENTATIONS
def test_any_strides(name: str) -> None:
    """Slices of one tensor, as a network makes them; broadcast tensors; channels that are not dense."""
    w, u, _, _, _ = (x.float() for x in arguments(2, 4, 35))
    together = torch.randn(2, 4, 3 * 35)
    grad = torch.randn(1, 1, 1).expand(2, 4, 35)
    for k, v in (
        together.chunk(3, dim=-1)[:2],
        together[:1, :, :70].chunk(2, dim=-1),
        torch.randn(2, 2, 35, 4).mT.unbind(0),
    ):
        g = grad[: len(k)]
        forward, backward = kernels(name)
        y, log_denominator = forward(w, u, k, v)
        dense = [x.contiguous() for x in (k, v)]
        torch.testing.assert_close(y, forward(w, u, *dense)[0], rtol=0, atol=0)
        expected = backward(w, u, *dense, y, log_denominator, g.contiguous())
        torch.testing.assert_close(backward(w, u, k, v, y, log_denominator, g), expected)
        assert y.is_contiguous()


@IMPLEMENTATIONS
def test_more_threads_than_sequences(name: str) -> None:
    w, u, k, v, grad = (x.float() for x in arguments(1, 5, 40))
    forward, backward = kernels(name)
    threads = torch.get_num_threads()
    results = []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            y, log_denominator = forward(w, u, k, v)
            results.append((y, *backward(w, u, k, v, y, log_denominator, grad)))
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(results[0], results[1])


class Tensorlike:
    """A tensor on a device that this machine may not have."""

    def __init__(self, device: str, dtype: torch.dtype = torch.float32) -> None:
        self.device, self.dtype = torch.device(device), dtype


def chosen(device: str, dtype: torch.dtype = torch.float32) -> str:
    return kernels_for(*[Tensorlike(device, dtype)] * 2).forward.__name__  # type: ignore[arg-type]


def test_what_runs_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monai_feat.ops.kernels._is_installed", lambda package: False)
    assert {chosen(device) for device in ("cpu", "cuda", "mps", "xpu")} == {"portable_forward"}


@WITHOUT_NUMBA
def test_float32_is_compiled_where_numba_is_and_float64_is_not() -> None:
    assert [chosen("cpu", dtype) for dtype in (torch.float32, torch.bfloat16)] == 2 * ["compiled_forward"]
    assert chosen("cpu", torch.float64) == "portable_forward"


@WITHOUT_TRITON
def test_cuda_builds_of_torch_use_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.version.cuda", None)
    assert chosen("cuda") == "portable_forward"  # a ROCm build calls its devices cuda, too
    monkeypatch.setattr("torch.version.cuda", "13.0")
    assert [chosen("cuda", dtype) for dtype in (torch.float32, torch.float16)] == 2 * ["triton_forward"]
    assert chosen("cuda", torch.float64) == chosen("xpu") == "portable_forward"


@IMPLEMENTATIONS
@pytest.mark.parametrize("dtypes", [(torch.float16, torch.float16), (torch.bfloat16, torch.float32)], ids=str)
def test_sums_and_outputs_are_float32_and_gradients_as_their_inputs(name: str, dtypes: tuple[torch.dtype, ...]) -> None:
    w, u, k, v, grad = arguments(1, 9, 35, key_scale=10)
    k, v = k.to(dtypes[0]), v.to(dtypes[1])
    given = (w.float(), u.float(), k, v)
    forward, backward = kernels(name)
    y, log_denominator = forward(*given)
    assert (y.dtype, log_denominator.dtype) == (torch.float32, torch.float64)
    gradients = backward(*given, y, log_denominator, grad.to(dtypes[1]))
    assert [x.dtype for x in gradients] == [x.dtype for x in given]
    exact = [x.double() for x in given]
    expected_y, expected_z = PORTABLE.forward(*exact)
    expected = PORTABLE.backward(*exact, expected_y, expected_z, grad.to(dtypes[1]).double())
    assert_close([y, *gradients], [expected_y, *expected], torch.finfo(dtypes[0]).eps)
    for found, exact in zip((y, *gradients[:2]), (expected_y, *expected[:2]), strict=True):  # what is float32
        assert relative_error(found, exact) < 3e-6
