# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.restoration import inpaint_biharmonic

from monai_feat.transforms.endoscopy import fill_from_around


def ramp(height: int = 32, width: int = 40) -> torch.Tensor:
    """Brightness that grows to the right and downwards, uint8 ``(1, 2, H, W)``."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (60 + rows + 2 * columns).to(torch.uint8)[None, None].expand(1, 2, -1, -1).clone()


def hole_of(clip: torch.Tensor) -> torch.Tensor:
    hole = torch.zeros(clip.shape[-2:], dtype=torch.bool)
    hole[10:16, 12:30] = True
    return hole


def test_a_smooth_picture_comes_back_as_by_biharmonic_equations() -> None:
    clean = ramp()
    hole = hole_of(clean)
    filled = fill_from_around(clean.masked_fill(hole, 255), hole)
    expected = inpaint_biharmonic(clean[0, 0].numpy().astype(np.float64), hole.numpy())
    assert np.abs(filled[0, 0].numpy() - expected).max() < 10
    assert (filled.float() - clean).abs()[..., hole].mean() < 3


def test_nothing_else_changes_and_the_surround_does_not_count() -> None:
    clip, surround = ramp(), torch.zeros(32, 40, dtype=torch.bool)
    hole = hole_of(clip)
    surround[:, 30:] = True
    filled = fill_from_around(clip.masked_fill(surround, 0), hole, surround)
    assert torch.equal(filled[..., ~hole & ~surround], clip[..., ~hole & ~surround])
    assert (filled[..., surround] == 0).all()
    assert filled[..., hole].min() > 80  # no black leaks in


def test_a_constant_stays_constant_in_any_type() -> None:
    hole = torch.rand(17, 23, generator=torch.Generator().manual_seed(0)) < 0.7
    for level in (torch.full((3, 1, 17, 23), 90, dtype=torch.uint8), torch.full((3, 1, 17, 23), -0.25)):
        torch.testing.assert_close(fill_from_around(level, hole), level)


def test_where_nothing_is_known_all_is_black() -> None:
    everything = torch.ones(8, 8, dtype=torch.bool)
    assert (fill_from_around(torch.full((1, 1, 8, 8), 9, dtype=torch.uint8), everything) == 0).all()
    with pytest.raises(ValueError, match=r"expected masks of \(8, 8\) pixels, got \(4, 4\)"):
        fill_from_around(torch.zeros(1, 1, 8, 8), everything[:4, :4])
