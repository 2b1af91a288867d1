# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Flip

from monai_feat.transforms.ultrasound import FIELD_KEY, UltrasoundField, field_of, record_field
from monai_feat.transforms.ultrasound.geometry import Geometry
from tests.monai_feat.transforms.ultrasound.fields import RECTANGLE, SECTOR, overlap, speckled


@pytest.mark.parametrize("geometry", [SECTOR, RECTANGLE])
def test_a_recorded_field_comes_back(geometry: Geometry) -> None:
    field = UltrasoundField.of(geometry, 64, 64, 0.75)
    clip = record_field(torch.zeros(1, 2, 64, 64), field)
    found = field_of(clip)
    assert (found.kind, found.geometry, found.confidence) == (field.kind, geometry, 0.75)
    assert torch.equal(found.mask, field.mask)


def test_an_absent_field_is_recorded_too() -> None:
    clip = record_field(speckled(SECTOR), UltrasoundField.nowhere(64, 64))
    assert field_of(clip).kind == "none"


def test_a_record_that_the_frame_has_outlived_is_not_believed() -> None:
    clip = speckled(SECTOR)
    clip[..., 40:] = 0  # lopsided
    wrong = UltrasoundField.of(RECTANGLE, 64, 64)
    recorded = record_field(clip, wrong)
    assert isinstance(recorded, MetaTensor)
    flipped = Flip(spatial_axis=2)(recorded)
    assert FIELD_KEY in flipped.meta
    assert field_of(recorded).kind == "linear"
    assert field_of(flipped).kind == "sector"
    assert overlap(field_of(speckled(SECTOR)).mask, UltrasoundField.of(SECTOR, 64, 64).mask) > 0.95


def test_recorded_clips_can_be_batched() -> None:
    clip = record_field(torch.zeros(1, 2, 64, 64), UltrasoundField.of(SECTOR, 64, 64))
    batch = list_data_collate([{"image": clip}, {"image": clip}])
    assert batch["image"].shape == (2, 1, 2, 64, 64)


def test_what_is_no_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a clip"):
        field_of(torch.zeros(64, 64))
