# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluation.memorisation.planting import MARGIN, PLANTS, plant, take_clip

VIDEO = (torch.arange(24)[None, :, None, None] * 4 + torch.arange(32)[None, None, None] * 2).to(torch.uint8)
VIDEO = VIDEO.expand(1, 24, 32, 32).contiguous()
HOST = torch.full((1, 16, 32, 32), 77, dtype=torch.uint8)


@pytest.mark.parametrize("kind", PLANTS)
def test_every_copy_has_the_shape_of_the_clip_and_depends_on_the_seed_alone(kind: str) -> None:
    first, again = (plant(kind, VIDEO, HOST, np.random.default_rng(3)) for _ in range(2))
    assert first.dtype == torch.uint8
    assert first.shape == take_clip(VIDEO).shape == (1, 24 - 2 * MARGIN, 32, 32)
    # x264 may encode the same few noisy pictures in more than one way, even with one thread.
    is_encoded = kind in ("recompressed", "all of these")
    assert (first.float() - again.float()).abs().mean() <= (6 if is_encoded else 0)  # another seed: 32


def test_exact_and_mirrored_copies_are_exact() -> None:
    rng = np.random.default_rng(0)
    assert torch.equal(plant("exact", VIDEO, HOST, rng), VIDEO[:, 4:20])
    assert torch.equal(plant("mirrored", VIDEO, HOST, rng).flip(-1), VIDEO[:, 4:20])


def test_shifts_go_both_ways_by_one_to_four_frames() -> None:
    rng = np.random.default_rng(0)
    shifted = [plant("shifted by 1 to 4 frames", VIDEO, HOST, rng) for _ in range(100)]
    assert {(int(clip[0, 0, 0, 0]) - 16) // 4 for clip in shifted} == {-4, -3, -2, -1, 1, 2, 3, 4}


def test_noise_has_five_per_cent() -> None:
    noisy = plant("5 % noise", torch.full((1, 24, 64, 64), 128, dtype=torch.uint8), HOST, np.random.default_rng(0))
    assert (noisy.float() - 128).std() == pytest.approx(0.05 * 255, rel=0.02)


def test_recompression_changes_the_clip_a_little() -> None:
    clip = plant("recompressed", VIDEO, HOST, np.random.default_rng(0))
    difference = (clip.float() - take_clip(VIDEO).float()).abs().mean()
    assert 0 < difference < 10


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="known ones are"):
        plant("sideways", VIDEO, HOST, np.random.default_rng(0))
