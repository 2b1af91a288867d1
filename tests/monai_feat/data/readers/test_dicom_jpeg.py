# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydicom.pixels import get_decoder
from pydicom.uid import JPEG2000, JPEGLossless, JPEGLosslessSV1

from monai_feat.data.readers.dicom_jpeg import DECODERS, decode_lossless_jpeg, is_available


def runner(samples: int) -> Any:
    options: dict[str, Any] = {}
    return SimpleNamespace(samples_per_pixel=samples, set_option=options.__setitem__, options=options)


def test_no_file_goes_to_the_decoder_that_ends_the_process() -> None:
    assert "gdcm" not in DECODERS.values()
    for uid, plugin in DECODERS.items():
        assert plugin in get_decoder(uid).available_plugins, uid.name


def test_it_offers_lossless_jpeg_only() -> None:
    assert is_available(JPEGLossless)
    assert is_available(JPEGLosslessSV1)
    assert not is_available(JPEG2000)


def test_lossless_jpeg_of_grey_by_hand() -> None:
    """One row of two pixels, 3 bits of difference each, after ITU-T T.81: SOI, SOF3, DHT, SOS (predictor 1), EOI."""
    # Categories 0 and 1 have the codes 0 and 10. A first difference of 0 is 128; +1 after it is 129: bits 0, 10 1.
    frame = bytes.fromhex(
        "ffd8 ffc3000b08 0001 0002 01 011100 ffc40015 00 01010000000000000000000000000000 0001"
        "ffda0008 01 0100 010000 5f ffd9"
    )
    options = runner(1)
    assert list(decode_lossless_jpeg(frame, options)) == [128, 129]
    assert options.options == {"planar_configuration": 0, "bits_allocated": 8}


@pytest.mark.parametrize("stream", [b"no JPEG", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xc3\x00\x0b\x08"])
def test_damage_is_an_error(stream: bytes) -> None:
    with pytest.raises(ValueError, match=r"Invalid data|holds 0 pictures"):
        decode_lossless_jpeg(stream, runner(3))
