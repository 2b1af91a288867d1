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
    with pytest.raises(ValueError, match=rf"seed is {seed} and the clip indices are \[.*expected at least one"):
        ClipNoise(seed, indices, (1,))


def test_uniform_numbers_are_spread_evenly_and_belong_to_the_clip() -> None:
    found = ClipNoise(5, range(4), (1,)).uniform(20_000)
    assert found.shape == (4, 20_000)
    assert 0 <= found.min() < found.max() < 1
    shares = torch.histc(found, bins=10, min=0, max=1) / found.numel()
    torch.testing.assert_close(shares, torch.full((10,), 0.1), atol=0.005, rtol=0)
    assert torch.equal(ClipNoise(5, [2], (1,)).uniform(20_000)[0], found[2])


@pytest.mark.parametrize(("window", "quarter", "num_frames"), [(8, 2, 27), (16, 4, 64), (3, 1, 8), (10, 2, 31)])
def test_long_noise_is_that_of_the_window_shuffled_within_quarters(window: int, quarter: int, num_frames: int) -> None:
    long, short = ClipNoise(3, [5], (2, num_frames, 4), window), ClipNoise(3, [5], (2, window, 4))
    for _ in range(2):
        noise, first = long.draw()[0], short.draw()[0]
        assert torch.equal(noise[:, :window], first)
        found = [(frame == first.transpose(0, 1)).flatten(1).all(1).nonzero().item() for frame in noise.unbind(1)]
        for start in range(window, num_frames, window):
            again = found[start : start + window]
            for place in range(0, len(again) - quarter + 1, quarter):
                part = range(place, min(place + quarter, window))
                assert sorted(again[place : place + quarter]) == list(part)
    assert quarter == 1 or found[window : 2 * window] != found[:window]


def test_shuffles_belong_to_the_clip() -> None:
    together, alone = ClipNoise(3, [4, 9], (1, 64, 2), 16), ClipNoise(3, [9], (1, 64, 2), 16)
    first, second = together.draw()
    assert torch.equal(second, alone.draw()[0])
    orders = [(clip[0, 16:, None] == clip[0, None, :16]).all(-1).int().argmax(1) for clip in (first, second)]
    assert not torch.equal(*orders)


def test_a_clip_no_longer_than_the_window_has_noise_as_ever() -> None:
    assert torch.equal(ClipNoise(0, [1], (2, 8), 8).draw(), ClipNoise(0, [1], (2, 8)).draw())
    with pytest.raises(ValueError, match="window is 0 frames, expected 1 or more"):
        ClipNoise(0, [1], (2, 8), 0)


def test_generators_are_each_clips_own_and_leave_the_noise_alone() -> None:
    source, alone = ClipNoise(3, [5, 0], (4,)), ClipNoise(3, [0], (4,))
    drawn = [torch.randn(6, generator=generator) for generator in source.generators()]
    torch.testing.assert_close(drawn[1], torch.randn(6, generator=alone.generators()[0]), rtol=0, atol=0)
    assert not torch.allclose(drawn[0], drawn[1])
    torch.testing.assert_close(source.draw(), ClipNoise(3, [5, 0], (4,)).draw(), rtol=0, atol=0)
