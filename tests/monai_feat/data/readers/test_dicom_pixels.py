# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_windowing

from monai_feat.data.readers.dicom_pixels import shown_pixels


def header(photometric: str, bits: int = 12, **attributes: object) -> Dataset:
    data = Dataset()
    data.PhotometricInterpretation, data.BitsStored, data.BitsAllocated, data.PixelRepresentation = (
        photometric,
        bits,
        16,
        0,
    )
    for name, value in attributes.items():
        setattr(data, name, value)
    return data


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_windows_are_those_of_pydicom(function: str, photometric: str) -> None:
    stored = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    data = header(photometric, WindowCenter=900, WindowWidth=700, VOILUTFunction=function)
    data.RescaleSlope, data.RescaleIntercept = 0.5, -3
    # pydicom maps the window to the range of the rescaled values.
    low, high = -3, 0.5 * 4095 - 3
    windowed = (apply_windowing(apply_modality_lut(stored, data), data) - low) / (high - low) * 255
    expected = windowed if photometric == "MONOCHROME2" else 255 - windowed
    shown = shown_pixels(stored, data, is_raw=True)
    assert shown.shape == (1, 64, 64)
    assert np.abs(shown[0] - expected).max() <= 0.5 + 1e-6


def test_without_a_window_all_bits_are_shown() -> None:
    signed = np.array([[-2048, 0, 2047]], np.int16)
    data = header("MONOCHROME2")
    data.PixelRepresentation = 1
    assert shown_pixels(signed, data, is_raw=True)[0].tolist() == [[0, 128, 255]]


def test_colour_that_a_decoder_converted_stays_as_it_is() -> None:
    stored = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    data = header("YBR_FULL", 8)
    assert (shown_pixels(stored, data, is_raw=False) == stored.transpose(2, 0, 1)).all()
    grey = np.full((5, 7, 3), 128, np.uint8)
    grey[..., 0] = 70
    assert (shown_pixels(grey, data, is_raw=True) == 70).all()


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"VOILUTFunction": "SIGMOID"}, "SIGMOID; expected LINEAR or LINEAR_EXACT"),
        ({"VOILUTSequence": [Dataset()]}, "through a table"),
        ({"ModalityLUTSequence": [Dataset()]}, "through a table"),
    ],
)
def test_other_rules_are_refused(attributes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        shown_pixels(np.zeros((2, 2), np.uint16), header("MONOCHROME2", **attributes), is_raw=True)
