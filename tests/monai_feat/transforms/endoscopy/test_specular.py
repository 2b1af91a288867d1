# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.transforms.endoscopy.specular import detect_specular_highlights
from monai_feat.transforms.functional import to_unit_range


@pytest.mark.parametrize("seed", range(4))
def test_known_highlights_are_found_to_the_pixel(scenes, seed: int) -> None:  # type: ignore[no-untyped-def]
    clip, truth = scenes.glints(scenes.tissue(seed, (192, 192), 2, wet=False), 12, seed)
    found = detect_specular_highlights(clip)
    assert found.mask.shape == truth.shape
    assert scenes.iou(found.mask, truth) >= 0.95
    assert found.confidence >= 0.5


def test_rendered_wetness_is_found_where_it_is_strong(scenes) -> None:  # type: ignore[no-untyped-def]
    for seed in range(4):
        wet, dry = (scenes.tissue(seed, (128, 128), 2, wet=flag) for flag in (True, False))
        gain = (wet.float() - dry.float()).amin(0)  # (T, H, W)
        found = detect_specular_highlights(wet).mask
        assert not (found & (gain < 10)).float().mean() > 0.002
        assert not detect_specular_highlights(dry).mask.any()


def test_mirror_and_type_change_nothing(scenes) -> None:  # type: ignore[no-untyped-def]
    clip, _ = scenes.glints(scenes.tissue(1, (192, 192), 1, wet=False), 8, 1)
    mask = detect_specular_highlights(clip).mask
    # Squares of even side are not symmetric about a pixel: mirroring may move an edge.
    assert scenes.iou(detect_specular_highlights(clip.flip(-1)).mask.flip(-1), mask) >= 0.95
    assert torch.equal(detect_specular_highlights(to_unit_range(clip)).mask, mask)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_clip_has_none(level: int) -> None:
    found = detect_specular_highlights(torch.full((3, 2, 32, 32), level, dtype=torch.uint8))
    assert (bool(found.mask.any()), found.confidence) == (False, 0.0)


def test_a_wide_bright_area_is_no_highlight(scenes) -> None:  # type: ignore[no-untyped-def]
    clip = scenes.tissue(0, (96, 96), 1, wet=False)
    clip[..., 20:60, 30:70] = 250
    assert not detect_specular_highlights(clip).mask[:, 22:58, 32:68].any()


def test_grey_is_refused() -> None:
    with pytest.raises(ValueError, match="grey hides"):
        detect_specular_highlights(torch.zeros(1, 1, 8, 8))
