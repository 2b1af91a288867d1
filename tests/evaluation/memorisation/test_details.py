# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from evaluation.memorisation.descriptors import thumbnails
from evaluation.memorisation.details import Equaliser, detail_maps, resized
from monai_feat.data import PhantomDataset

CLIPS = PhantomDataset("ultrasound", 3, seed=0, size=64, num_frames=3)
PICTURES = thumbnails(CLIPS.clip(i).image for i in range(3))


def test_inverted_greys_give_the_same_detail_with_the_other_sign() -> None:
    torch.testing.assert_close(detail_maps(255 - PICTURES, [1]), -detail_maps(PICTURES, [1]), atol=0.03, rtol=0)


def test_brightness_and_contrast_matter_little() -> None:
    levels = PICTURES.float()
    plain, faint = (detail_maps((levels * gain + 100).to(torch.uint8), [1]) for gain in (0.5, 0.35))
    assert torch.corrcoef(torch.stack([plain.flatten(), faint.flatten()]))[0, 1] > 0.9


def test_borders_and_flat_frames_show_nothing() -> None:
    flat = torch.full((1, 2, 1, 64, 64), 90, dtype=torch.uint8)
    assert detail_maps(flat, [0]).abs().max() < 1e-3
    bordered = torch.nn.functional.pad(torch.full((1, 2, 1, 32, 32), 90, dtype=torch.uint8), [16] * 4)
    assert detail_maps(bordered, [0]).abs().max() < 1e-3


def test_zoomed_maps_keep_their_middle() -> None:
    maps = torch.zeros(1, 1, 64, 64)
    maps[..., 28:36, 28:36] = 1
    assert resized(maps, 64) is maps
    assert resized(maps, 64, 2.0).sum() == pytest.approx(4 * 64, rel=0.02)
    assert resized(maps, 64, 0.5).sum() == pytest.approx(64 / 4, rel=0.05)
    assert resized(maps, 64, 0.5)[0, 0, :8].sum() == 0


def test_equalised_maps_have_flatter_spectra_and_no_mean() -> None:
    maps = detail_maps(PICTURES, [0, 1, 2])
    even = Equaliser(maps)(maps)
    assert even.mean(dim=(-2, -1)).abs().max() < 1e-4

    def spread(of: torch.Tensor) -> float:
        power = torch.fft.rfft2(of).abs().square().mean((0, 1)).flatten()[1:]
        return float(power.std() / power.mean())

    assert spread(even) < 0.5 * spread(maps)
