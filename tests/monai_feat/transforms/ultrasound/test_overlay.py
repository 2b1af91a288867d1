# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from monai_feat.data import open_clip
from monai_feat.transforms.functional import black_level
from monai_feat.transforms.ultrasound import (
    RemoveStaticOverlay,
    UltrasoundField,
    detect_static_marks,
    fill_outside,
    fill_static_marks,
)
from tests.monai_feat.transforms.ultrasound.fields import RECTANGLE, SECTOR, speckled

FIELD = UltrasoundField.of(RECTANGLE, 64, 64)


def _marked(colour: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """A clip with a caliper cross over the field, and the cross."""
    cross = torch.zeros(64, 64, dtype=torch.bool)
    cross[24:33, 28] = cross[28, 24:33] = True
    clip = speckled(RECTANGLE).expand(3, -1, -1, -1).clone()
    clip[..., cross] = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    return clip, cross


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 220, 0), (0, 200, 0)])
def test_a_mark_on_the_field_is_found_where_it_is(colour: tuple[int, int, int]) -> None:
    clip, cross = _marked(colour)
    marks = detect_static_marks(clip, FIELD)
    assert marks.confidence == 1
    assert marks.mask[cross].all()
    around = torch.nn.functional.max_pool2d(cross.float()[None], 5, 1, 2)[0] > 0
    assert not marks.mask[~around].any()


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 0, 0)])
def test_marks_are_replaced_by_echoes_and_nothing_else_changes(colour: tuple[int, int, int]) -> None:
    clip, cross = _marked(colour)
    marks = detect_static_marks(clip, FIELD)
    cleaned = fill_static_marks(clip, FIELD, marks)
    assert torch.equal(cleaned[..., ~marks.mask], clip[..., ~marks.mask])
    assert torch.equal(cleaned[0], cleaned[1])  # grey again
    assert cleaned[:, :, cross].float().std(1).mean() > 10  # and flickering
    assert not detect_static_marks(cleaned, FIELD).mask.any()


def test_speckle_alone_and_a_frozen_clip_have_no_marks() -> None:
    clip = speckled(RECTANGLE)
    assert not detect_static_marks(clip, FIELD).mask.any()
    assert not detect_static_marks(clip[:, :1].expand(-1, 6, -1, -1), FIELD).mask.any()
    assert not detect_static_marks(clip[:, :2], FIELD).mask.any()


def test_colour_doppler_is_no_mark() -> None:
    clip = speckled(RECTANGLE).expand(3, -1, -1, -1).clone()
    flow = torch.randint(0, 256, (6, 12, 12), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    clip[0, :, 20:32, 20:32], clip[2, :, 20:32, 20:32] = flow, 255 - flow
    assert detect_static_marks(clip, FIELD).mask.float().mean() < 0.01


def _with_flow(length: int) -> Tensor:
    """A clip, or a still, with a vessel in power Doppler that branches into thin ones, and a yellow caliper."""
    clip = speckled(RECTANGLE)[:, :1].expand(3, length, -1, -1).clone()
    vessel = torch.zeros(64, 64, dtype=torch.bool)
    vessel[26:34, 22:40] = vessel[22:40, 30] = vessel[38, 26:36] = True
    clip[:, :, vessel] = torch.tensor([230, 90, 0], dtype=torch.uint8)[:, None, None]
    clip[:, :, 44, 20:28] = torch.tensor([255, 220, 0], dtype=torch.uint8)[:, None, None]
    return clip


@pytest.mark.parametrize("length", [1, 2, 6])
def test_flow_is_left_alone_in_stills_and_frozen_clips(length: int) -> None:
    clip = _with_flow(length)
    assert not detect_static_marks(clip, FIELD).mask.any()
    caliper_alone = _with_flow(length)
    caliper_alone[:, :, 20:41, 20:42] = caliper_alone[:1, :, 20:41, 20:42].clone().clamp(max=90)
    assert detect_static_marks(caliper_alone, FIELD).mask[44, 20:28].all()


@pytest.mark.parametrize("name", ["color-pl.dcm", "examples_rgb_color.dcm"])
def test_flow_in_real_stills_is_left_alone(shared_data: Path, name: str) -> None:
    still = open_clip(shared_data / "dicom" / name).read()
    cleaned = RemoveStaticOverlay()(still)
    coloured = (still.amax(0) - still.amin(0)) > 60
    flow = coloured & (cleaned.amax(0) > 0)  # what lies outside the field becomes black as a whole
    assert flow.float().mean() > 0.02
    assert torch.equal(torch.as_tensor(cleaned)[:, flow], still[:, flow])


def test_a_field_covered_by_lines_has_no_confidence() -> None:
    clip = speckled(RECTANGLE).expand(3, -1, -1, -1).clone()
    clip[0, :, ::3] = 255
    clip[1:, :, ::3] = 0
    assert detect_static_marks(clip, FIELD).confidence == 0


def test_black_is_the_lowest_value_of_each_type() -> None:
    mask = UltrasoundField.of(SECTOR, 64, 64).mask
    for clip in (torch.full((1, 2, 64, 64), 9, dtype=torch.uint8), torch.zeros(1, 2, 64, 64)):
        masked = fill_outside(clip, mask, black_level(clip))
        assert (masked[..., ~mask] == (0 if clip.dtype == torch.uint8 else -1)).all()
        assert torch.equal(masked[..., mask], clip[..., mask])


def test_sizes_must_agree() -> None:
    with pytest.raises(ValueError, match="field's size"):
        detect_static_marks(torch.zeros(1, 4, 32, 64), FIELD)
    with pytest.raises(ValueError, match="frames' size"):
        fill_outside(torch.zeros(1, 4, 32, 64), FIELD.mask, 0)
