# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from monai_feat.inferers import ClipSampler
from monai_feat.inferers.memory import FittingBatches, is_out_of_memory
from monai_feat.networks.schedulers import RespacedDDIMScheduler

TOO_MANY = 2**50


class Cost:
    """Makes numbers, up to ``most`` at once; beyond, it asks the allocator itself for more memory than there is."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sizes: list[int] = []

    def __call__(self, part: slice) -> torch.Tensor:
        size = part.stop - part.start
        self.sizes.append(size)
        if size > self.most:
            torch.empty(TOO_MANY)
        return torch.arange(part.start, part.stop)


def test_errors_of_the_allocators_are_known() -> None:
    for allocate in (torch.empty, np.empty, bytearray):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            allocate(TOO_MANY)
        assert is_out_of_memory(caught.value), caught.value


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:83] data. DefaultCPUAllocator: not enough memory"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_are_those_of_memory(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) == expected


def test_a_batch_is_halved_until_it_fits_and_later_ones_start_there() -> None:
    batches, cost = FittingBatches(), Cost(most=3)
    with pytest.warns(UserWarning, match="are too many for the memory") as warned:
        assert torch.equal(batches(cost, 14), torch.arange(14))
    assert [str(warning.message).split(" clips")[0] for warning in warned] == ["14", "7"]
    assert str(warned[1].message).endswith("going on with 3")
    assert cost.sizes == [14, 7, 3, 3, 3, 3, 2]
    cost.sizes.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(batches(cost, 7), torch.arange(7))
    assert cost.sizes == [3, 3, 1]


def test_one_that_does_not_fit_and_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="allocate memory"), pytest.warns(UserWarning, match="going on with 1"):
        FittingBatches()(Cost(most=0), 3)

    def broken(part: slice) -> torch.Tensor:
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        FittingBatches()(broken, 4)


def test_decoding_that_does_not_fit_denoises_nothing_again() -> None:
    seen: list[int] = []

    def network(x: torch.Tensor, timesteps: torch.Tensor, context: torch.Tensor | None) -> torch.Tensor:
        seen.append(len(x))
        return 0.1 * x

    def decode(latents: torch.Tensor) -> torch.Tensor:
        if len(latents) > 2:
            torch.empty(TOO_MANY)
        return 2 * latents

    scheduler, shape, indices = RespacedDDIMScheduler(), (1, 2, 4, 4), torch.arange(5)
    with pytest.warns(UserWarning, match="5 clips at once"):
        found = ClipSampler(scheduler, shape, 3, decoder=decode)(indices, network)
    assert seen == [5, 5, 5]
    torch.testing.assert_close(found, 2 * ClipSampler(scheduler, shape, 3)(indices, network))
