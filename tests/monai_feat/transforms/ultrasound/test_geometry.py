# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from monai_feat.transforms.ultrasound import RectangleGeometry, SectorGeometry, UltrasoundField
from monai_feat.transforms.ultrasound.geometry import pixel_positions

SECTOR = SectorGeometry(10.0, 99.5, -0.7, 0.5, 30.0, 150.0)


def test_the_mask_has_the_area_of_the_sector() -> None:
    assert SECTOR.area == pytest.approx(math.pi * (150**2 - 30**2) * 1.2 / (2 * math.pi))
    assert int(UltrasoundField.of(SECTOR, 180, 220).mask.sum()) == pytest.approx(SECTOR.area, rel=0.005)


def test_the_mask_of_a_rectangle_counts_pixels() -> None:
    geometry = RectangleGeometry(1.5, 5.5, -0.5, 2.5)
    assert geometry.area == 12
    assert int(UltrasoundField.of(geometry, 8, 8).mask.sum()) == 12


@pytest.mark.parametrize("angle", [-0.69, 0.0, 0.49])
@pytest.mark.parametrize("radius", [31.0, 90.0, 149.0])
def test_a_position_in_polar_coordinates_comes_back(angle: float, radius: float) -> None:
    rows = torch.tensor(10 + radius * math.cos(angle))
    columns = torch.tensor(99.5 + radius * math.sin(angle))
    assert [float(value) for value in SECTOR.polar(rows, columns)] == pytest.approx([radius, angle], abs=1e-4)
    assert SECTOR.signed_distance(rows, columns) > 0
    assert float(SECTOR.relative_depth(rows, columns)) == pytest.approx((radius - 30) / 120, abs=1e-5)


def test_distances_are_those_to_the_nearest_edge() -> None:
    rows, columns = torch.tensor([10 + 30.0 - 4, 10 + 150.0 - 4]), torch.tensor([99.5, 99.5])
    assert SECTOR.signed_distance(rows, columns).tolist() == pytest.approx([-4, 4], abs=1e-3)
    normal = torch.tensor([math.sin(0.7), math.cos(0.7)]) * 5  # into the sector from its left edge
    on_edge = torch.tensor([10 + 80 * math.cos(0.7), 99.5 - 80 * math.sin(0.7)])
    assert float(SECTOR.signed_distance(*(on_edge + normal))) == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize("geometry", [SECTOR, RectangleGeometry(20.5, 150.5, 30.5, 99.5)])
def test_mirroring_twice_and_shifting_back_change_nothing(geometry: SectorGeometry | RectangleGeometry) -> None:
    field = UltrasoundField.of(geometry, 180, 220)
    assert torch.equal(field.mirrored().mask, field.mask.flip(1))
    again = field.mirrored().mirrored()
    assert again.geometry == geometry
    assert torch.equal(again.mask, field.mask)
    assert geometry.shifted(3, -7).shifted(-3, 7) == geometry


def test_a_cropped_field_is_the_field_of_the_cropped_frame() -> None:
    field = UltrasoundField.of(SECTOR, 180, 220)
    rows, columns = field.box
    cropped = field.cropped(rows, columns)
    assert cropped.geometry is not None
    assert torch.equal(UltrasoundField.of(cropped.geometry, *cropped.mask.shape).mask, field.mask[rows, columns])
    assert cropped.mask.any(0).all()
    assert cropped.mask.any(1).all()


def test_positions_count_pixel_centres() -> None:
    rows, columns = pixel_positions(2, 3)
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert columns.tolist() == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize(
    "values", [(0, 0, 0.5, 0.5, 1, 2), (0, 0, 0, 4, 1, 2), (0, 0, -1, 1, 2, 2), (0, 0, -1, 1, -1, 2)]
)
def test_an_impossible_sector_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        SectorGeometry(*values)


def test_an_impossible_rectangle_and_an_empty_mask_are_refused() -> None:
    with pytest.raises(ValueError, match="top < bottom"):
        RectangleGeometry(2, 2, 0, 1)
    outside = UltrasoundField.of(RectangleGeometry(20.5, 21.5, 0, 1), 8, 8)
    with pytest.raises(ValueError, match="no pixel"):
        _ = outside.box
