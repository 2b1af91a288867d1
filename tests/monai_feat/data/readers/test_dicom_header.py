# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from pydicom.dataset import Dataset

from monai_feat.data.readers.dicom_header import cine_rate, pixel_spacing

H, W = 18, 26


def test_frame_rate_comes_from_the_attribute_that_says_it() -> None:
    header = Dataset()
    assert cine_rate(header, 4) == 0
    header.RecommendedDisplayFrameRate = 10
    assert cine_rate(header, 4) == 10
    header.CineRate = 20
    assert cine_rate(header, 4) == 20
    header.FrameTimeVector = [0, 20, 40, 60]
    assert cine_rate(header, 4) == pytest.approx(25)
    header.FrameTime = 50
    assert cine_rate(header, 4) == pytest.approx(20)
    header.FrameIncrementPointer = 0x00181065
    assert cine_rate(header, 4) == pytest.approx(25)
    assert cine_rate(header, 1) == 0


def test_scale_that_does_not_hold_is_unknown() -> None:
    header = Dataset()
    header.Rows, header.Columns = H, W
    header.PixelSpacing = [0.3, 0.4]
    assert pixel_spacing(header) == (0.3, 0.4)
    regions = []
    for delta in (0.02, 0.03):
        region = Dataset()
        region.RegionSpatialFormat, region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 1, W - 1, H - 1
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaX = region.PhysicalDeltaY = delta
        regions.append(region)
    header.SequenceOfUltrasoundRegions = regions
    assert all(math.isnan(step) for step in pixel_spacing(header))
    header.SequenceOfUltrasoundRegions = regions[:1]
    assert pixel_spacing(header) == pytest.approx((0.2, 0.2))
    regions[0].RegionLocationMaxX1 = 2 * W
    assert all(math.isnan(step) for step in pixel_spacing(header))


@pytest.mark.parametrize("nonsense", [0, -40, None])
def test_times_that_cannot_be_are_no_frame_rate(nonsense: float | None) -> None:
    header = Dataset()
    header.FrameTime, header.FrameTimeVector, header.CineRate = nonsense, [0], nonsense
    assert cine_rate(header, 4) == 0
    header.PixelSpacing = [0.3, 0]
    assert all(math.isnan(step) for step in pixel_spacing(header))


def test_regions_that_are_no_picture_do_not_count() -> None:
    header, doppler = Dataset(), Dataset()
    doppler.RegionSpatialFormat, doppler.PhysicalDeltaX, doppler.PhysicalDeltaY = 3, 0.01, 0.5
    doppler.PhysicalUnitsXDirection, doppler.PhysicalUnitsYDirection = 4, 7
    header.SequenceOfUltrasoundRegions, header.PixelSpacing = [doppler], [0.3, 0.4]
    assert pixel_spacing(header) == (0.3, 0.4)
