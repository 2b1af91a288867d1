# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a DICOM header says of a cine: time between frames and size of a pixel. Attributes are those of DICOM PS3.3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from monai_feat.data.readers.clip_file import UNKNOWN_SPACING

__all__ = ["cine_rate", "pixel_spacing"]

_MM_PER_CM = 10.0
# PS3.3 C.8.5.5.1: codes of Region Spatial Format and of Physical Units.
_TWO_DIMENSIONAL, _CENTIMETRES = 1, 3


def cine_rate(header: Dataset, frames: int) -> float:
    """Mean frame rate in Hz; 0.0 for a still, or where no attribute says.

    The attribute that Frame Increment Pointer names goes first; then Frame Time, Frame Time Vector, Cine Rate and
    Recommended Display Frame Rate (PS3.3 C.7.6.5 and C.7.6.6), the last two of which only say how to show the frames.
    """
    if frames < 2:
        return 0.0
    pointer = header.get("FrameIncrementPointer")
    named = [pointer] if isinstance(pointer, int) else list(pointer or [])
    keywords = sorted(_RATES, key=lambda keyword: tag_for_keyword(keyword) not in named)
    return next((rate for keyword in keywords if (rate := _RATES[keyword](header.get(keyword))) > 0), 0.0)


def pixel_spacing(header: Dataset) -> tuple[float, float]:
    """Height and width of a pixel in mm; NaN where no attribute says, or where those that say disagree.

    Calibration is that of the two-dimensional ultrasound regions in centimetres (PS3.3 C.8.5.5), and Pixel Spacing
    where there are none. Regions that do not fit into the frame belong to a picture of another size: such a file was
    resized without its header, and its scale is lost.
    """
    regions = [region for region in header.get("SequenceOfUltrasoundRegions") or [] if _is_scan(region)]
    if not regions:
        return _pair(header.get("PixelSpacing"))
    if not all(_lies_within(region, int(header.Rows), int(header.Columns)) for region in regions):
        return UNKNOWN_SPACING
    spacings = [_region_spacing(region) for region in regions]
    rows, columns = ([spacing[axis] for spacing in spacings] for axis in (0, 1))
    # Two pictures side by side have one scale, to within rounding, or none that holds for the frame.
    is_one_scale = all(max(axis) <= 1.01 * min(axis) for axis in (rows, columns))
    return spacings[0] if is_one_scale else UNKNOWN_SPACING


def _is_scan(region: Dataset) -> bool:
    units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
    deltas = (region.get("PhysicalDeltaX"), region.get("PhysicalDeltaY"))
    return (
        region.get("RegionSpatialFormat") == _TWO_DIMENSIONAL and units == (_CENTIMETRES, _CENTIMETRES) and all(deltas)
    )


def _lies_within(region: Dataset, rows: int, columns: int) -> bool:
    # Some devices count the last pixel, others give the size of the frame.
    return (region.get("RegionLocationMaxX1") or 0) <= columns and (region.get("RegionLocationMaxY1") or 0) <= rows


def _region_spacing(region: Dataset) -> tuple[float, float]:
    # The sign says in which direction values grow, not how far apart pixels are.
    return (
        abs(float(region.PhysicalDeltaY)) * _MM_PER_CM,
        abs(float(region.PhysicalDeltaX)) * _MM_PER_CM,
    )


def _pair(value: Iterable[Any] | None) -> tuple[float, float]:
    numbers = [float(number) for number in value or []]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and min(numbers) > 0 else UNKNOWN_SPACING


def _of_period(milliseconds: Any) -> float:
    return 1000 / float(milliseconds) if milliseconds and float(milliseconds) > 0 else 0.0


def _of_periods(milliseconds: Any) -> float:
    if not isinstance(milliseconds, Iterable):  # a vector of one is one number to pydicom
        return _of_period(milliseconds)
    # The first frame has no time since the one before it.
    steps = [float(step) for step in milliseconds][1:]
    return _of_period(sum(steps) / len(steps)) if steps else 0.0


def _of_rate(hertz: Any) -> float:
    return max(0.0, float(hertz or 0))


_RATES: Mapping[str, Callable[[Any], float]] = {
    "FrameTime": _of_period,
    "FrameTimeVector": _of_periods,
    "CineRate": _of_rate,
    "RecommendedDisplayFrameRate": _of_rate,
}
