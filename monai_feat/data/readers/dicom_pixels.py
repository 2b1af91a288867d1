# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From the pixels that a DICOM file stores to those that a viewer shows, in 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_color_lut, convert_color_space

__all__ = ["COLOUR", "MONOCHROME", "RGB_IN_DISGUISE", "shown_pixels"]

# pydicom and the decoders turn all of these into RGB.
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420")
# What only video streams are (PS3.3 C.7.6.3.1.2). Programs that unpack these to RGB leave the attribute as it was.
RGB_IN_DISGUISE = "YBR_PARTIAL_420"
MONOCHROME = ("MONOCHROME1", "MONOCHROME2")


def shown_pixels(stored: npt.NDArray[Any], header: Dataset, is_raw: bool) -> npt.NDArray[np.uint8]:
    """Turn one decoded frame into uint8 as shown.

    Args:
        stored: ``(H, W)`` or ``(H, W, 3)``, with as many samples of colour as of brightness.
        header: the file's attributes.
        is_raw: colour is as the file says; otherwise it has been turned into RGB.

    Returns:
        uint8 ``(1, H, W)`` for monochrome, ``(3, H, W)`` for colour and palettes.

    Raises:
        ValueError: the pixels are shown by a rule that is not known here.
    """
    photometric = str(header.PhotometricInterpretation)
    if photometric in MONOCHROME:
        return _monochrome(stored, header)[None]
    rgb = _through_palette(stored, header) if photometric == "PALETTE COLOR" else stored
    if is_raw and photometric.startswith("YBR") and photometric != RGB_IN_DISGUISE:
        rgb = convert_color_space(stored, "YBR_FULL", "RGB")
    return np.ascontiguousarray(rgb.transpose(2, 0, 1))


def _monochrome(stored: npt.NDArray[Any], header: Dataset) -> npt.NDArray[np.uint8]:
    """Window the pixels: by the file's first window, or by the full range of its bits where it has none.

    A window of centre c and width w maps x to ((x - (c - 0.5)) / (w - 1) + 0.5) · 255, clipped (PS3.3 C.11.2.1.2.1);
    ``LINEAR_EXACT`` maps it to ((x - c) / w + 0.5) · 255 (C.11.2.1.3.2).
    """
    centre, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
    function = str(header.get("VOILUTFunction") or "LINEAR")
    if function not in ("LINEAR", "LINEAR_EXACT"):
        raise ValueError(f"its pixels are shown by the function {function}; expected LINEAR or LINEAR_EXACT")
    if header.get("ModalityLUTSequence") or (header.get("VOILUTSequence") and centre is None):
        raise ValueError("its pixels are shown through a table (LUT sequence); expected a window")
    x = stored * (_first(header.get("RescaleSlope")) or 1.0) + (_first(header.get("RescaleIntercept")) or 0.0)
    if centre is None or not width:
        bits, is_signed = int(header.BitsStored), int(header.get("PixelRepresentation", 0))
        lowest = -(2 ** (bits - 1)) if is_signed else 0
        unit = (stored.astype(np.float64) - lowest) / (2**bits - 1)
    elif function == "LINEAR":
        unit = (x - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5
    else:
        unit = (x - centre) / width + 0.5
    shown: npt.NDArray[np.uint8] = (unit * 255).round().clip(0, 255).astype(np.uint8)
    return np.invert(shown) if header.PhotometricInterpretation == "MONOCHROME1" else shown


def _through_palette(stored: npt.NDArray[Any], header: Dataset) -> npt.NDArray[np.uint8]:
    rgb = apply_color_lut(stored, header)
    if rgb.dtype == np.uint8:
        return rgb
    # Entries of 16 bits use all of them (PS3.3 C.7.9); some devices write 8-bit levels into them all the same.
    levels: npt.NDArray[np.uint8] = (rgb >> (8 if rgb.max() > 255 else 0)).astype(np.uint8)
    return levels


def _first(value: Any) -> float | None:
    """The first of one or several values."""
    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    return None if value is None or value == "" else float(value)
