# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from monai_feat.networks.mixers import DepthwisePyramid, Slot
from tests.monai_feat.networks.mixers.twins import assert_twins, randomised

C = 3


def convolve(block: DepthwisePyramid, v: Tensor) -> Tensor:
    """Tap by tap."""
    grid = v.shape[1:-1]
    outputs = torch.zeros_like(v)
    for dilation, conv in zip((1, 2), block.convs, strict=True):
        taps = conv.weight[:, 0]  # (C, taps...)
        for place, tap in itertools.product(*(itertools.product(*map(range, s)) for s in (grid, taps.shape[1:]))):
            source = [p + (t - 1) * dilation for p, t in zip(place, tap, strict=True)]
            if all(0 <= s < size for s, size in zip(source, grid, strict=True)):
                added = torch.zeros_like(v)
                added[(slice(None), *place)] = taps[(slice(None), *tap)] * v[(slice(None), *source)]
                outputs = outputs + added
    return outputs


@pytest.mark.parametrize(("axis", "grid"), [("time", (5,)), ("time", (1,)), ("space", (3, 2))])
def test_equals_sums_tap_by_tap(axis: str, grid: tuple[int, ...]) -> None:
    block = randomised(DepthwisePyramid(Slot(axis, C), dilations=(1, 2)))  # type: ignore[arg-type]
    v = torch.randn(2, *grid, C, dtype=torch.float64)
    assert_twins(block.mix, lambda x: convolve(block, x), [v], [conv.weight for conv in block.convs])


def test_one_tap_treats_each_token_by_itself() -> None:
    block, v = DepthwisePyramid(Slot("space", C), kernel_size=1), torch.randn(2, 3, 4, C)
    scale = sum(conv.weight.flatten() for conv in block.convs)
    torch.testing.assert_close(block.mix(v), scale * v)


@pytest.mark.parametrize("options", [dict(kernel_size=2), dict(dilations=(0,)), dict(kernel_size=-1)])
def test_impossible_kernels_are_errors(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected an odd kernel_size and dilations from 1"):
        DepthwisePyramid(Slot("time", C), **options)  # type: ignore[arg-type]
