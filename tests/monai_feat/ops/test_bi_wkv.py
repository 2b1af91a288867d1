# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from monai_feat.ops import bi_wkv, bi_wkv_reference
from monai_feat.ops.portable_scan import portable_forward
from tests.monai_feat.ops.scans import arguments, assert_close, relative_error, with_gradients


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-9), (torch.float32, 2e-5)])
@pytest.mark.parametrize("function", [bi_wkv, bi_wkv_reference])
@pytest.mark.parametrize("case", range(6))
def test_golden_outputs_and_gradients(golden: Path, case: int, function: Any, dtype: torch.dtype, bound: float) -> None:
    numbers = load_file(golden / "wkv_float64.safetensors")
    given = [numbers[f"{case}.{name}"].to(dtype) for name in ("w", "u", "k", "v", "gy")]
    expected = [numbers[f"{case}.{name}"] for name in ("y", "gw", "gu", "gk", "gv")]
    assert_close(with_gradients(function, *given), expected, bound)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 3), (3, 2, 1), (2, 7, 5), (1, 64, 4)], ids=str)
def test_equals_the_reference_with_gradients(shape: tuple[int, int, int]) -> None:
    given = arguments(*shape)
    assert_close(with_gradients(bi_wkv, *given), with_gradients(bi_wkv_reference, *given), 1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_no_clips_have_no_gradients(dtype: torch.dtype) -> None:
    output, *gradients = with_gradients(bi_wkv, *arguments(0, 3, 2, dtype=dtype))
    assert [x.shape for x in (output, *gradients)] == [(0, 3, 2), (2,), (2,), (0, 3, 2), (0, 3, 2)]
    assert not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("key_scale", [80.0, 250.0])
@pytest.mark.parametrize("decay", [-30.0, -0.5, 0.0, 0.5, 30.0])
def test_large_keys_and_any_decay_stay_exact_in_float32(key_scale: float, decay: float) -> None:
    w, u, _, v, grad = arguments(2, 12, 6)
    k = key_scale * (2 * torch.rand(2, 12, 6, dtype=torch.float64) - 1)
    given = [x.float() for x in (w + decay, u, k, v, grad)]
    expected = with_gradients(bi_wkv_reference, *(x.double() for x in given))
    assert_close(with_gradients(bi_wkv, *(x.double() for x in given)), expected, 1e-11)
    # An exponent of 250 is good to 2e-5 in float32. Gradients of near-certain choices vanish: bound these absolutely.
    for found, exact in zip(with_gradients(bi_wkv, *given), expected, strict=True):
        torch.testing.assert_close(found.double(), exact, rtol=0, atol=1e-4 * max(1.0, exact.abs().max().item()))


def test_gradcheck() -> None:
    given = [x.requires_grad_() for x in arguments(2, 5, 3)[:4]]
    assert torch.autograd.gradcheck(bi_wkv, given)


def test_one_token_returns_its_value() -> None:
    w, u, k, v, grad = arguments(3, 1, 4, key_scale=250.0)
    output, *gradients = with_gradients(bi_wkv, w, u, k, v, grad)
    torch.testing.assert_close(output, v)
    torch.testing.assert_close(gradients[3], grad)
    assert all(not gradient.any() for gradient in gradients[:3])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_errs_only_by_the_rounding_of_its_results(dtype: torch.dtype) -> None:
    given = [x.to(dtype) for x in arguments(2, 33, 5)]
    found = with_gradients(bi_wkv, *given)
    assert {x.dtype for x in found} == {dtype}
    expected = with_gradients(bi_wkv_reference, *(x.double() for x in given))
    assert_close(found, expected, torch.finfo(dtype).eps)


def test_mixed_dtypes_as_autocast_makes_them() -> None:
    w, u, k, v, grad = arguments(2, 9, 5, dtype=torch.float32)
    k = k.bfloat16()
    output, *gradients = with_gradients(bi_wkv, w, u, k, v, grad)
    assert output.dtype == v.dtype
    assert [x.dtype for x in gradients] == [x.dtype for x in (w, u, k, v)]
    assert relative_error(output, bi_wkv_reference(w, u, k.float(), v)) < 1e-6


class LargestTensor(TorchDispatchMode):
    """Record the number of elements of the largest tensor that any operation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.numel = max([self.numel, *(x.numel() for x in _tensors(result))])
        return result


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, (list, tuple)):
        for item in result:
            yield from _tensors(item)


def kept_bytes(function: Any, T: int) -> int:
    """Return the bytes that stay for the backward pass, each storage once."""
    given = [x.requires_grad_() for x in arguments(2, T, 4)[:4]]
    storages: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        storages[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        output = function(*given)
    del output
    return sum(storages.values())


def test_memory_is_linear_in_the_number_of_tokens() -> None:
    assert kept_bytes(bi_wkv, 128) <= 2 * kept_bytes(bi_wkv, 64)
    assert kept_bytes(bi_wkv_reference, 128) > 3 * kept_bytes(bi_wkv_reference, 64)  # the yardstick sees a quadratic
    for num_tokens in (64, 128):
        with LargestTensor() as largest:
            portable_forward(*arguments(2, num_tokens, 4)[:4])
        assert largest.numel == 4 * (2 * num_tokens * 4)  # numerators and denominators, forwards and backwards


def test_the_backward_pass_keeps_output_and_denominators_only() -> None:
    """Beside keys and values: float64 as all else here."""
    assert kept_bytes(bi_wkv, 64) == 8 * (4 * 2 * 64 * 4 + 2 * 4)


def test_a_constant_added_to_all_keys_changes_nothing() -> None:
    w, u, k, v, _ = arguments(2, 11, 3)
    torch.testing.assert_close(bi_wkv(w, u, k + 37.5, v), bi_wkv(w, u, k, v))


def test_reversed_tokens_give_the_reversed_output() -> None:
    w, u, k, v, _ = arguments(2, 11, 3)
    torch.testing.assert_close(bi_wkv(w, u, k.flip(1), v.flip(1)), bi_wkv(w, u, k, v).flip(1))


def test_constant_values_pass_unchanged() -> None:
    w, u, k, v, _ = arguments(2, 11, 3, key_scale=80.0)
    torch.testing.assert_close(bi_wkv(w, u, k, torch.full_like(v, 1.5)), torch.full_like(v, 1.5))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_device_gives_the_same_numbers() -> None:
    given = arguments(3, 17, 5)
    found = with_gradients(bi_wkv, *(x.cuda() for x in given))
    assert_close([x.cpu() for x in found], with_gradients(bi_wkv, *given), 1e-12)


@pytest.mark.parametrize("function", [bi_wkv, bi_wkv_reference])
@pytest.mark.parametrize(
    "shapes",
    [
        ((3,), (3,), (2, 4, 3), (2, 5, 3)),
        ((2,), (3,), (2, 4, 3), (2, 4, 3)),
        ((3,), (1, 3), (2, 4, 3), (2, 4, 3)),
        ((3,), (3,), (4, 3), (4, 3)),
        ((3,), (3,), (2, 0, 3), (2, 0, 3)),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_named(function: Any, shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="T, C >= 1, got w") as caught:
        function(*(torch.zeros(shape) for shape in shapes))
    assert f"v {shapes[3]}" in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64, torch.bool])
def test_numbers_must_be_floating(dtype: torch.dtype) -> None:
    w, u, k, v, _ = arguments(1, 3, 2)
    with pytest.raises(ValueError, match=f"expects floating-point w, u, k, v; got .*{dtype}.*: convert them"):
        bi_wkv(w, u, k.to(dtype), v)


def test_tensors_must_be_on_one_device() -> None:
    w, u, k, v, _ = arguments(1, 3, 2)
    with pytest.raises(ValueError, match=r"on one device, got meta, cpu, cpu, cpu: move them"):
        bi_wkv(w.to("meta"), u, k, v)
