# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which decoder takes the pixels of which DICOM file, and a decoder of lossless JPEG, which pydicom has only in GDCM.

GDCM ends the whole process on damaged bytes, so it is never called, installed or not: lossless JPEG goes to FFmpeg,
other JPEG and JPEG 2000 to Pillow, JPEG-LS to CharLS.
"""

from __future__ import annotations

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from pydicom.pixels.decoders.base import DecodeRunner, JPEGLosslessDecoder, JPEGLosslessSV1Decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from monai_feat.data.limits import read_limits

__all__ = ["DECODERS", "decode_lossless_jpeg", "is_available"]

# Names of pydicom's plugins; uncompressed pixels need none.
DECODERS: dict[UID, str] = {
    JPEGBaseline8Bit: "pillow",
    JPEGExtended12Bit: "pillow",
    JPEG2000: "pillow",
    JPEG2000Lossless: "pillow",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    JPEGLossless: "pyav",
    JPEGLosslessSV1: "pyav",
    RLELossless: "pydicom",
}
# pydicom asks a plugin for this table and for `is_available`.
DECODER_DEPENDENCIES = {JPEGLossless: ("av",), JPEGLosslessSV1: ("av",)}


def is_available(uid: str) -> bool:
    """Whether this plugin decodes a transfer syntax."""
    return uid in DECODER_DEPENDENCIES


def decode_lossless_jpeg(src: bytes, runner: DecodeRunner) -> bytes:
    """Decode one frame of lossless JPEG (ITU-T T.81, process 14); a plugin of pydicom's.

    Args:
        src: the frame's JPEG stream.
        runner: told how the pixels are laid out.

    Returns:
        Pixels, colour by pixel.

    Raises:
        ValueError: the stream is damaged.
    """
    codec = VideoCodecContext.create("mjpeg", "r")
    codec.options = {"err_detect": "explode", "max_pixels": str(read_limits().frame_pixels)}
    try:
        pictures = [*codec.decode(av.Packet(src)), *codec.decode(None)]
    except av.error.FFmpegError as error:
        raise ValueError(error.strerror) from None
    if len(pictures) != 1:
        raise ValueError(f"the stream holds {len(pictures)} pictures, expected one")
    picture = pictures[0]
    # Components as they are stored: what they mean is up to the file's attributes.
    if picture.format.name in ("yuv444p", "yuvj444p"):
        pixels = picture.to_ndarray().transpose(1, 2, 0) if runner.samples_per_pixel == 3 else picture.to_ndarray()
    else:
        pixels = picture.to_ndarray(format="rgb24" if runner.samples_per_pixel == 3 else picture.format.name)
    runner.set_option("planar_configuration", 0)
    runner.set_option("bits_allocated", 8 * pixels.dtype.itemsize)
    return np.ascontiguousarray(pixels).tobytes()


for _decoder in (JPEGLosslessDecoder, JPEGLosslessSV1Decoder):
    _decoder.add_plugin("pyav", (__name__, "decode_lossless_jpeg"))
