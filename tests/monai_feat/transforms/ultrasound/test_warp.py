# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from monai_feat.transforms.ultrasound import FieldWarp, UltrasoundField, warp_field, warp_geometry
from monai_feat.transforms.ultrasound.geometry import Geometry, pixel_positions
from tests.monai_feat.transforms.ultrasound.fields import RECTANGLE, SECTOR, speckled


@pytest.mark.parametrize("geometry", [SECTOR, RECTANGLE])
def test_no_change_is_no_change_and_mirroring_twice_is_none(geometry: Geometry) -> None:
    clip = speckled(geometry)
    assert torch.equal(warp_field(clip, geometry, FieldWarp()), clip)
    mirror = FieldWarp(mirror=True)
    mirrored, outline = warp_field(clip, geometry, mirror), warp_geometry(geometry, mirror, 64)
    assert torch.equal(warp_field(mirrored, outline, mirror), clip)
    assert warp_geometry(outline, mirror, 64) == geometry


@pytest.mark.parametrize("warp", [FieldWarp(0.2, 0.95), FieldWarp(-0.1, 0.8), FieldWarp(0.1, 1.2, True)])
@pytest.mark.parametrize("geometry", [SECTOR, RECTANGLE])
def test_what_is_outside_the_new_outline_is_black(geometry: Geometry, warp: FieldWarp) -> None:
    clip = speckled(geometry).clone()
    clip[..., :3, :3] = 255  # text
    distance = warp_geometry(geometry, warp, 64).signed_distance(*pixel_positions(64, 64))
    warped = warp_field(clip, geometry, warp)
    assert (warped[..., distance < -0.5] == 0).all()
    assert (warp_field(clip.float(), geometry, warp, fill=-1.0)[..., distance < -0.5] == -1).all()
    assert warped[..., distance > 2].float().mean() > 50


def test_an_echo_goes_where_the_polar_coordinates_say() -> None:
    radius, angle = 40.0, -0.2
    rows, columns = pixel_positions(64, 64)

    def blob(radius: float, angle: float) -> torch.Tensor:
        row, column = -8 + radius * math.cos(angle), 31.5 + radius * math.sin(angle)
        return torch.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 8)[None, None]

    warped = warp_field(blob(radius, angle), SECTOR, FieldWarp(0.3, 1.25))
    expected = blob(16 + 1.25 * (radius - 16), angle + 0.3)
    for positions in (rows, columns):
        centre, wanted = ((image * positions).sum() / image.sum() for image in (warped, expected))
        assert float(centre) == pytest.approx(float(wanted), abs=0.2)


def test_a_label_is_warped_like_the_field_with_its_own_values_only() -> None:
    warp = FieldWarp(0.15, 0.85, True)
    label = torch.where(UltrasoundField.of(SECTOR, 64, 64).mask, 3, 0).to(torch.uint8).expand(1, 2, -1, -1)
    warped = warp_field(label, SECTOR, warp, mode="nearest")
    assert set(warped.unique().tolist()) == {0, 3}
    truth = UltrasoundField.of(warp_geometry(SECTOR, warp, 64), 64, 64).mask
    from_frame = (warped[0, 0] == 3) & truth
    assert from_frame.sum() / truth.sum() > 0.93  # what lay beyond the frame is unknown


def test_turning_there_and_back_restores_the_inside() -> None:
    rows, columns = pixel_positions(64, 64)
    smooth = (100 + 50 * torch.sin(rows / 6) * torch.cos(columns / 5))[None, None]
    there = warp_field(smooth, SECTOR, FieldWarp(0.1))
    back = warp_field(there, warp_geometry(SECTOR, FieldWarp(0.1), 64), FieldWarp(-0.1))
    inside = SECTOR.signed_distance(rows, columns) > 3
    inside &= SECTOR.signed_distance(rows, columns + 8) > 3  # what the turn did not push out of the frame
    assert (back - smooth)[..., inside].abs().mean() < 2


def test_a_linear_field_does_not_turn() -> None:
    clip = speckled(RECTANGLE)
    assert torch.equal(warp_field(clip, RECTANGLE, FieldWarp(0.3)), clip)
    halved = warp_geometry(RECTANGLE, FieldWarp(0.3, 0.5), 64)
    assert halved == replace(RECTANGLE, bottom=RECTANGLE.top + 26)


def test_impossible_changes_are_refused() -> None:
    with pytest.raises(ValueError, match="depth_scale > 0"):
        FieldWarp(depth_scale=0)
    with pytest.raises(ValueError, match="bicubic"):
        warp_field(torch.zeros(1, 2, 64, 64), SECTOR, FieldWarp(0.1), mode="bicubic")  # type: ignore[arg-type]
