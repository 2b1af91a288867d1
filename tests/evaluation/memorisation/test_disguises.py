# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from evaluation.memorisation import disguises
from monai_feat.data import PhantomDataset

CLIP, HOST = (PhantomDataset("ultrasound", 1, seed=seed, size=64, num_frames=4).clip(0).image for seed in (0, 1))


def alike(one: Tensor, other: Tensor) -> float:
    """Share of pixels that are the same."""
    return float((one == other).float().mean())


def test_a_caption_bar_covers_an_eighth_of_the_rows_and_nothing_else() -> None:
    found = disguises.captioned(CLIP, np.random.default_rng(0))
    changed = (found != CLIP).any(dim=3).any(dim=1)[0].nonzero()[:, 0]
    assert changed.max() - changed.min() < 8
    assert changed.min() == 0 or changed.max() == 63


def test_halves_are_of_the_clip_and_of_the_host() -> None:
    found = disguises.half_of(CLIP, HOST)
    assert torch.equal(found[..., :32], CLIP[..., :32])
    assert torch.equal(found[..., 32:], HOST[..., 32:])


def test_a_pasted_region_takes_its_share_of_the_area() -> None:
    bright, dark = torch.full_like(CLIP, 200), torch.zeros_like(CLIP)
    for share, area in ((0.75, 0.5625), (0.5, 0.25)):
        found = disguises.pasted(bright, dark, share, np.random.default_rng(0))
        assert alike(found, bright) == pytest.approx(area)
        assert alike(found, dark) == pytest.approx(1 - area)


def test_an_inset_is_four_fifths_as_large_and_a_crop_shows_four_fifths() -> None:
    bright = torch.full_like(CLIP, 200)
    assert alike(disguises.inset(bright, np.random.default_rng(0)), bright) == pytest.approx((51 / 64) ** 2)
    ramp = torch.arange(64).to(torch.uint8).expand(1, 2, 64, 64)
    found = disguises.cropped(ramp, np.random.default_rng(0)).int()
    assert int(found.max() - found.min()) in (49, 50, 51)


def test_a_blurred_clip_depends_on_the_means_of_blocks_of_eight_alone() -> None:
    means = torch.nn.functional.avg_pool2d(CLIP.float(), 8)
    blocks = means.repeat_interleave(8, dim=-1).repeat_interleave(8, dim=-2).round().to(torch.uint8)
    assert (disguises.blurred(CLIP).float() - disguises.blurred(blocks).float()).abs().max() <= 1


@pytest.mark.parametrize("change", [disguises.zoomed, disguises.turned, disguises.warped])
def test_bent_clips_depend_on_the_seed_and_frames_move_together(change: object) -> None:
    still = CLIP[:, :1].expand(-1, 3, -1, -1)
    first, again, other = (change(still, np.random.default_rng(seed)) for seed in (0, 0, 1))  # type: ignore[operator]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(first[:, 0], first[:, 2])
    assert not torch.equal(first, still)
