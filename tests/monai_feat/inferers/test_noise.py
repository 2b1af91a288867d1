# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.inferers import ClipNoise


def test_a_clip_has_its_own_stream() -> None:
    together, alone = ClipNoise(3, [4, 9, 2], (2, 5)), ClipNoise(3, torch.tensor([9]), (2, 5))
    for _ in range(3):
        assert torch.equal(together.draw()[1], alone.draw()[0])


def test_streams_are_standard_normal_and_independent() -> None:
    """Neighbouring seeds and indices included, and (seed, index) swapped; bounds are five standard errors."""
    first = torch.cat([ClipNoise(seed, range(4), (20_000,)).draw(torch.float64) for seed in range(4)])
    second = ClipNoise(0, range(4), (20_000,))
    second.draw()
    streams = torch.cat([first, second.draw(torch.float64)])
    bound = 5 / 20_000**0.5
    assert streams.mean(dim=1).abs().max() < bound
    assert (streams.var(dim=1) - 1).abs().max() < bound * 2**0.5
    assert torch.corrcoef(streams).fill_diagonal_(0).abs().max() < bound


def test_values_do_not_depend_on_the_dtype() -> None:
    double = ClipNoise(0, [1], (3, 4)).draw(torch.float64)
    single = ClipNoise(0, [1], (3, 4)).draw()
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    assert torch.equal(double.float(), single)


@pytest.mark.parametrize(("seed", "indices"), [(-1, [0]), (0, [0, -2]), (0, [])])
def test_bad_seed_or_index(seed: int, indices: list[int]) -> None:
    with pytest.raises(ValueError, match=rf"seed is {seed} and the clip indices are \[.*expected a clip"):
        ClipNoise(seed, indices, (1,))


def test_uniform_numbers_are_spread_evenly_and_belong_to_the_clip() -> None:
    found = ClipNoise(5, range(4), (1,)).uniform(20_000)
    assert found.shape == (4, 20_000)
    assert 0 <= found.min() < found.max() < 1
    shares = torch.histc(found, bins=10, min=0, max=1) / found.numel()
    torch.testing.assert_close(shares, torch.full((10,), 0.1), atol=0.005, rtol=0)
    assert torch.equal(ClipNoise(5, [2], (1,)).uniform(20_000)[0], found[2])
