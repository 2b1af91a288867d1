# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_feat.transforms.ultrasound import (
    FIELD_KEY,
    CropToField,
    DetectUltrasoundField,
    MaskOutsideField,
    RandSectorAffine,
    RandSpeckleIntensity,
    RemoveStaticOverlay,
    UltrasoundField,
    field_of,
    record_field,
)
from tests.monai_feat.transforms.ultrasound.fields import RECTANGLE, SECTOR, overlap, speckled

SPACING = (0.4, 0.3)  # mm
TRUTH = UltrasoundField.of(SECTOR, 64, 64)


def _clip(field: UltrasoundField | None = None) -> Any:
    clip = speckled(SECTOR)
    clip[..., :3, :6] = 255  # text in a corner
    affine = torch.diag(torch.tensor([1.0, *SPACING, 1.0], dtype=torch.float64))
    clip = MetaTensor(clip, affine=affine, meta={"frame_rate": 20.0, "spacing": SPACING})
    return clip if field is None else record_field(clip, field)


def test_detection_is_recorded_and_changes_no_pixel() -> None:
    found = DetectUltrasoundField()(_clip())
    assert isinstance(found, MetaTensor)
    assert found.meta[FIELD_KEY]["kind"] == "sector"
    assert found.meta["frame_rate"] == 20
    assert torch.equal(found.as_tensor(), _clip().as_tensor())
    assert overlap(field_of(found).mask, TRUTH.mask) >= 0.95


def test_a_plain_array_will_do() -> None:
    masked = MaskOutsideField()(np.asarray(speckled(SECTOR)))
    assert overlap(masked.as_tensor().amax((0, 1)) > 0, TRUTH.mask) > 0.95


def test_masking_blackens_outside_and_nothing_else() -> None:
    masked = MaskOutsideField()(_clip(TRUTH))
    assert (masked[..., ~TRUTH.mask] == 0).all()
    assert torch.equal(masked.as_tensor()[..., TRUTH.mask], _clip().as_tensor()[..., TRUTH.mask])


def test_overlay_goes_outside_and_inside() -> None:
    clip = _clip(TRUTH)
    clip[:, :, 30, 26:36] = 255  # a caliper
    cleaned = RemoveStaticOverlay()(clip)
    assert (cleaned[..., ~TRUTH.mask] == 0).all()
    assert cleaned.as_tensor()[0, :, 30, 26:36].float().std(0).mean() > 10


def test_marks_go_even_where_no_field_is_known() -> None:
    clip = _clip(UltrasoundField.nowhere(64, 64))
    clip[:, :, 30, 26:36] = 255
    cleaned = RemoveStaticOverlay()(clip)
    assert cleaned.as_tensor()[0, :, 30, 26:36].float().std(0).mean() > 10
    assert (cleaned.as_tensor()[..., :3, :6] == 255).all()  # nothing flickers around this text: it could be anything


def test_depth_calibration_survives_a_crop() -> None:
    clip = _clip(TRUTH)
    cropped = CropToField(margin=1)(clip)
    assert isinstance(cropped, MetaTensor)
    rows, columns = (int(side) for side in (TRUTH.box[0].start - 1, max(TRUTH.box[1].start - 1, 0)))
    assert cropped.meta["spacing"] == SPACING
    assert torch.allclose(cropped.affine[:3, :3], clip.affine[:3, :3])
    # The same echo is at the same place in mm.
    before = clip.affine @ torch.tensor([0, rows + 10, columns + 20, 1], dtype=torch.float64)
    after = cropped.affine @ torch.tensor([0, 10, 20, 1], dtype=torch.float64)
    assert torch.allclose(before, after)
    assert torch.equal(cropped.as_tensor()[..., 10, 20], clip.as_tensor()[..., rows + 10, columns + 20])
    assert torch.equal(field_of(cropped).mask, TRUTH.mask[rows:, columns:][: cropped.shape[-2], : cropped.shape[-1]])


TRANSFORMS: list[Callable[[], Any]] = [
    MaskOutsideField,
    RemoveStaticOverlay,
    CropToField,
    lambda: RandSectorAffine(prob=1.0),
    lambda: RandSpeckleIntensity(prob=1.0),
]


@pytest.mark.parametrize("make", TRANSFORMS)
def test_too_little_confidence_leaves_the_clip_alone(make: Callable[[], Any]) -> None:
    unsure = UltrasoundField.of(RECTANGLE, 64, 64, confidence=0.49)
    clip = _clip(unsure)
    assert torch.equal(make()(clip).as_tensor(), clip.as_tensor())


@pytest.mark.parametrize("make", TRANSFORMS[3:])
def test_random_transforms_replay_by_seed(make: Callable[[], Any]) -> None:
    clip = _clip(TRUTH)
    one, other, third = (make().set_random_state(seed)(clip).as_tensor() for seed in (1, 1, 2))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)


@pytest.mark.parametrize("make", [lambda: RandSectorAffine(prob=0.0), lambda: RandSpeckleIntensity(prob=0.0)])
def test_probability_zero_does_nothing(make: Callable[[], Any]) -> None:
    clip = _clip(TRUTH)
    assert torch.equal(make().set_random_state(0)(clip).as_tensor(), clip.as_tensor())


def test_the_recorded_field_moves_with_the_pixels() -> None:
    warp = RandSectorAffine(prob=1.0, angle=0.2).set_random_state(3)
    warped = warp(_clip(TRUTH))
    moved = field_of(warped)
    assert moved.geometry == warp.warped(TRUTH).geometry
    assert moved.geometry != SECTOR
    assert torch.equal(warped.affine, _clip().affine)  # the tissue is deformed, not the ruler
    shown = warped.as_tensor().amax((0, 1)) > 0
    assert not (shown & ~moved.mask).float().sum() > 0.05 * moved.mask.sum()


def test_speckle_of_a_float_clip_stays_in_range() -> None:
    clip = record_field(speckled(SECTOR).float() / 127.5 - 1, TRUTH)
    shown = RandSpeckleIntensity(prob=1.0, gain_db=20.0).set_random_state(0)(clip)
    assert shown.dtype == torch.float32
    assert -1 <= shown.min() <= shown.max() <= 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: MaskOutsideField(1.5),
        lambda: CropToField(-1),
        lambda: RandSectorAffine(depth_scale=(0.0, 1.0)),
        lambda: RandSectorAffine(mirror_prob=2),
        lambda: RandSpeckleIntensity(range_ratio=(1.2, 0.8)),
        lambda: RandSpeckleIntensity(gain_db=-1),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()
