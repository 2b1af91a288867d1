# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from monai_feat.transforms.endoscopy import (
    CropToFieldOfView,
    DetectFieldOfView,
    DetectSpecularHighlights,
    MaskBurntIn,
    RemoveBurntIn,
)
from monai_feat.transforms.functional import to_unit_range


@pytest.fixture(scope="module")
def clip(scenes) -> MetaTensor:  # type: ignore[no-untyped-def]
    truth = scenes.aperture("rectangle", (96, 96))
    return MetaTensor(scenes.seen_through(scenes.tissue(0), truth), meta={"frame_rate": 4.0})


def test_detection_writes_metadata_and_changes_no_pixel(clip: MetaTensor) -> None:
    found = DetectFieldOfView()(clip)
    assert torch.equal(found.as_tensor(), clip.as_tensor())
    assert found.meta["field_of_view"]["shape"] == "rectangle"
    assert found.meta["frame_rate"] == 4.0
    assert "field_of_view" not in clip.meta


@pytest.mark.parametrize("to_float", [False, True])
def test_a_crop_is_undone(clip: MetaTensor, to_float: bool) -> None:
    source = MetaTensor(to_unit_range(clip.as_tensor()) if to_float else clip.as_tensor())
    crop = CropToFieldOfView()
    cropped = crop(source)
    top, left, bottom, right = cropped.meta["field_of_view"]["box"]
    assert cropped.shape == (3, 3, bottom - top, right - left)
    assert torch.equal(cropped.as_tensor(), source.as_tensor()[..., top:bottom, left:right])
    assert cropped.affine[1, 3] == top
    back = crop.inverse(cropped)
    assert back.shape == source.shape
    assert torch.equal(back.as_tensor()[..., top:bottom, left:right], cropped.as_tensor())
    assert back.as_tensor()[..., :top, :].max() <= cropped.min()
    assert torch.allclose(back.affine, source.affine)


def test_a_margin_stays_in_the_frame(clip: MetaTensor) -> None:
    assert CropToFieldOfView(margin=1000)(clip).shape == clip.shape
    tight, loose = CropToFieldOfView()(clip).shape, CropToFieldOfView(margin=2)(clip).shape
    assert (loose[2] - tight[2], loose[3] - tight[3]) == (4, 4)
    with pytest.raises(ValueError, match="margin >= 0"):
        CropToFieldOfView(margin=-1)


def test_below_the_threshold_clips_are_left_alone() -> None:
    plain = torch.full((3, 2, 32, 40), 90, dtype=torch.uint8)
    for transform in (CropToFieldOfView(), MaskBurntIn(), RemoveBurntIn(), DetectFieldOfView()):
        assert torch.equal(transform(plain).as_tensor(), plain)
    assert not DetectSpecularHighlights()(plain).any()
    crop = CropToFieldOfView()
    assert torch.equal(crop.inverse(crop(plain)).as_tensor(), plain)


def test_masking_blackens_the_inset_and_nothing_else(scenes) -> None:  # type: ignore[no-untyped-def]
    clip = scenes.tissue(1, (96, 128), 2)
    clip[..., 60:, :40] = torch.randint(190, 200, (3, 2, 36, 40), dtype=torch.uint8)
    for given, black in ((clip, 0), (to_unit_range(clip), -1)):
        masked = MaskBurntIn()(given)
        assert [region["kind"] for region in masked.meta["burnt_in"]] == ["inset"]
        top, left, bottom, right = masked.meta["burnt_in"][0]["box"]
        assert (masked.as_tensor()[..., top:bottom, left:right] == black).all()
        changed = (masked.as_tensor() != given).any(0).any(0)
        assert changed.sum() == changed[top:bottom, left:right].sum()


def test_text_gives_way_to_tissue_and_an_inset_to_black(scenes) -> None:  # type: ignore[no-untyped-def]
    clean = scenes.tissue(1, (192, 256), 2)
    clip, text = scenes.write(clean, ["AB 1234567", "22/11/2026"], (20, 20), 14)
    clip[..., 130:, :80] = torch.randint(190, 200, (3, 2, 62, 80), dtype=torch.uint8)
    removed = RemoveBurntIn()(clip)
    assert {region["kind"] for region in removed.meta["burnt_in"]} == {"inset", "text"}
    pixels = removed.as_tensor()
    error = (pixels[..., text].float() - clean[..., text]).abs().mean()
    assert error < 0.2 * (clip[..., text].float() - clean[..., text]).abs().mean()
    assert (pixels[..., 140:, :70] == 0).all()
    assert torch.equal(pixels[..., :120, 160:], clip[..., :120, 160:])
    float_pixels = RemoveBurntIn()(to_unit_range(clip)).as_tensor()
    assert torch.allclose(float_pixels, to_unit_range(pixels), atol=1.5 / 127.5)


def test_transforms_compose_as_in_a_config(clip: MetaTensor) -> None:
    composed = Compose([RemoveBurntIn(), CropToFieldOfView()])(clip)
    assert torch.equal(composed, CropToFieldOfView()(RemoveBurntIn()(clip)))


def test_specular_mask_has_the_clips_metadata(scenes) -> None:  # type: ignore[no-untyped-def]
    wet, truth = scenes.glints(scenes.tissue(0, (192, 192), 2, wet=False), 8, 0)
    mask = DetectSpecularHighlights()(MetaTensor(wet, meta={"frame_rate": 4.0}))
    assert mask.shape == (1, 2, 192, 192)
    assert mask.meta["frame_rate"] == 4.0
    assert scenes.iou(mask[0].as_tensor().bool(), truth) >= 0.95
    assert DetectSpecularHighlights()(wet[:, 0]).shape == (1, 192, 192)
    assert not DetectSpecularHighlights(min_confidence=1.0)(wet).any()
    with pytest.raises(ValueError, match="min_confidence"):
        DetectSpecularHighlights(-1)
