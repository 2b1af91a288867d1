# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Enhanced US Volumes of slices and times, in several orders of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedUSVolumeStorage

from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.load import open_clip
from tests.monai_feat.data.readers.test_dicom import dicom, saved

SLICES, TIMES = 3, 4
_TIME, _SLICE = 0x0020930D, 0x00209301


def item(**attributes: object) -> Dataset:
    made = Dataset()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def volume(path: Path, order: str, slices: int = SLICES, times: int = TIMES) -> Path:
    """Frame of slice s at time t is 10 s + t everywhere; `order` says which of them counts faster."""
    places = [(s, t) for t in range(times) for s in range(slices)]
    if order == "time":
        places = [(s, t) for s in range(slices) for t in range(times)]
    pixels = np.stack([np.full((18, 26), 10 * s + t, np.uint8) for s, t in places])
    data = dicom(pixels, "MONOCHROME2")
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EnhancedUSVolumeStorage
    data.NumberOfFrames = len(places)
    data.DimensionIndexSequence = [item(DimensionIndexPointer=_TIME), item(DimensionIndexPointer=_SLICE)]
    data.SharedFunctionalGroupsSequence = [item(PixelMeasuresSequence=[item(PixelSpacing=[0.4, 0.5])])]
    data.PerFrameFunctionalGroupsSequence = [
        item(
            FrameContentSequence=[item(DimensionIndexValues=[t + 1, s + 1])],
            TemporalPositionSequence=[item(TemporalPositionTimeOffset=0.05 * t)],
        )
        for s, t in places
    ]
    return saved(data, path)


@pytest.mark.parametrize("order", ["slice", "time"])
def test_each_slice_is_a_clip_of_its_own(tmp_path: Path, order: str) -> None:
    path = volume(tmp_path / "a.dcm", order)
    for number in range(SLICES):
        clip = open_clip(path, slice_index=number)
        assert clip.frame_rate == pytest.approx(20)
        assert clip.spacing == (0.4, 0.5)
        assert clip.read()[0, :, 0, 0].tolist() == [10 * number + t for t in range(TIMES)]
        assert clip.read(2, 1)[0, 0, 3, 3] == 10 * number + 2


def test_without_a_choice_it_is_refused_with_one(tmp_path: Path) -> None:
    path = volume(tmp_path / "a.dcm", "slice")
    with pytest.raises(VideoReadError, match="holds 3 slices at 4 times; choose one: slice_index=0 to 2"):
        open_clip(path)
    with pytest.raises(VideoReadError, match="there is no slice_index=3"):
        open_clip(path, slice_index=3)


def test_one_slice_or_one_time_needs_no_choice(tmp_path: Path) -> None:
    assert open_clip(volume(tmp_path / "a.dcm", "slice", slices=1)).frame_rate == pytest.approx(20)
    still = open_clip(volume(tmp_path / "b.dcm", "slice", times=1))
    assert (still.frames, still.frame_rate) == (SLICES, 0)
    assert "slices of a volume" in still.remarks[0]


def test_other_images_have_no_slices(tmp_path: Path) -> None:
    path = saved(dicom(np.zeros((4, 18, 26), np.uint8), "MONOCHROME2"), tmp_path / "a.dcm")
    with pytest.raises(VideoReadError, match="not an Enhanced US Volume: leave slice_index out"):
        open_clip(path, slice_index=0)
