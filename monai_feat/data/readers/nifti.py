# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips in NIfTI files, by nibabel."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from monai_feat.data.limits import check_inflated, check_tensor, read_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import UNKNOWN_SPACING, ClipFile, as_read_error, one_line
from monai_feat.data.readers.eight_bits import exact_uint8, whole_numbers
from monai_feat.data.video_container import file_status

__all__ = ["NiftiFile"]

_SHORTER_HEADER, _LONGER_HEADER = 348, 540  # bytes of NIfTI-1 and NIfTI-2
_PACKED = (".gz", ".bz2")
_MM = {"mm": 1.0, "unknown": 1.0, "meter": 1e3, "micron": 1e-3}
_SECONDS = {"sec": 1.0, "unknown": 1.0, "msec": 1e-3, "usec": 1e-6}


class NiftiFile(ClipFile):
    """A clip in NIfTI: the first axis holds columns, the second rows, the third or the fourth frames.

    Rows and columns stay as they are stored, whatever the affine says of left and right. Colour is ``RGB24``, or a
    fifth axis of 3. Only the fourth axis has a time step; a third axis of frames has no frame rate, for its step is a
    length. Pixels are whole numbers from 0 to 255 of any type. A spacing of exactly 1 x 1 is what programs write that
    know none, and counts as unknown.

    Raises:
        VideoReadError: the file is missing, damaged or no NIfTI, or holds a volume over time.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._image = _load(path)
        with as_read_error(path, "is NIfTI with a damaged header"):
            self._parse(path)

    def _parse(self, path: str | os.PathLike[str]) -> None:
        shape = (*self._image.shape, 1, 1, 1)[: max(5, len(self._image.shape))]
        columns, rows, third, fourth, fifth = shape[:5]
        if min(third, fourth) > 1 or fifth not in (1, 3) or len(self._image.shape) > 5:
            raise VideoReadError(
                path,
                f"has shape {self._image.shape}; expected a clip: columns, rows, frames, or columns, rows, 1, frames",
            )
        self._is_packed = Path(path).suffix.lower() in _PACKED
        self._axis = 2 if third > 1 else 3
        self._is_vector = len(self._image.shape) == 5 and fifth == 3
        channels = 3 if self._is_vector or self._image.get_data_dtype().names else 1
        length_unit, time_unit = self._image.header.get_xyzt_units()
        zooms = [float(zoom) for zoom in self._image.header.get_zooms()]
        super().__init__(
            path,
            max(third, fourth),
            _rate(zooms[3], time_unit) if len(zooms) > 3 and self._axis == 3 and fourth > 1 else 0.0,
            (rows, columns),
            channels,
            _spacing(zooms, length_unit),
        )
        if self.frame_rate == 1 and self._axis == 3:
            self.remarks += ("it says one second from frame to frame, which ITK writes where it knows none",)
        self._check_size()

    def _check_size(self) -> None:
        """Compare what the header promises with what is there."""
        pixels = int(np.prod(self._image.shape, dtype=object))
        needed = int(self._image.dataobj.offset) + pixels * self._image.get_data_dtype().itemsize
        there = self.path.stat().st_size
        if self._is_packed:
            check_inflated(self.path, needed, there)
        elif there < needed:
            raise VideoReadError(self.path, f"is truncated: {there} of {needed} bytes are there; copy it again")

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for pixels in self._stored(numbers):
            # np.array rather than ascontiguousarray: what comes from a file may be read-only.
            yield torch.from_numpy(np.array(exact_uint8(self.path, self._arranged(pixels)), order="C"))

    def _decode_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for pixels in self._stored(numbers):
            yield torch.from_numpy(np.array(whole_numbers(self.path, self._arranged(pixels)), order="C"))

    def _stored(self, numbers: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
        data = self._image.dataobj
        if self._is_packed and self._is_vector:
            # The three colours lie behind each other: frame by frame, all would be unpacked three times for each.
            check_tensor(self.path, self.frames, 3 * self.size[0] * self.size[1])
            data = np.asanyarray(data)
        for number in numbers:
            index: list[Any] = [slice(None), slice(None), 0, 0, slice(None)][: len(self._image.shape)]
            if self._axis < len(index):
                index[self._axis] = number
            yield np.asanyarray(data[tuple(index)])

    def _arranged(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """One frame as stored, ``(W, H)`` or ``(W, H, 3)``, to ``(C, H, W)``."""
        if pixels.dtype.names:
            pixels = np.stack([pixels[name] for name in pixels.dtype.names[:3]], axis=-1)
        arranged: npt.NDArray[Any] = pixels.reshape(*pixels.shape[:2], -1).transpose(2, 1, 0)
        return arranged


def _load(path: str | os.PathLike[str]) -> Any:
    file_status(path)
    try:
        _check_offset(path)
        # With the file kept open, a compressed clip is unpacked once from front to back, not once per frame.
        image = nib.load(path, keep_file_open=True)
    except VideoReadError:
        raise
    except Exception as error:
        raise VideoReadError(path, f"is not a NIfTI file that can be read ({one_line(error)})") from error
    if not isinstance(image, nib.Nifti1Pair) or len(image.shape) < 2:
        raise VideoReadError(path, "is not a NIfTI image of two or more axes")
    return image


def _check_offset(path: str | os.PathLike[str]) -> None:
    """Refuse a header that is larger than any: nibabel reads what lies before the pixels at once."""
    with nib.openers.ImageOpener(os.fspath(path)) as file:
        head = file.read(_LONGER_HEADER)
    is_short = any(int.from_bytes(head[:4], order) == _SHORTER_HEADER for order in ("little", "big"))
    kind: Any = nib.Nifti1Header if is_short else nib.Nifti2Header
    offset = float(kind(head[: kind.template_dtype.itemsize], check=False)["vox_offset"])
    if not 0 <= offset <= read_limits().header_bytes:
        raise VideoReadError(path, f"is NIfTI with a header of {offset:g} bytes, expected far fewer: it is damaged")


def _rate(step: float, unit: str) -> float:
    """Frames per second of a time step; 0.0 where nobody set it."""
    if unit == "hz":
        return step
    if unit not in _SECONDS or not step > 0 or (unit == "unknown" and step == 1):
        return 0.0
    return 1 / (step * _SECONDS[unit])


def _spacing(zooms: Sequence[float], unit: str) -> tuple[float, float]:
    scale = _MM.get(unit, float("nan"))
    columns, rows = zooms[0] * scale, zooms[1] * scale
    is_known = min(rows, columns) > 0 and tuple(zooms[:2]) != (1.0, 1.0)
    return (rows, columns) if is_known else UNKNOWN_SPACING
