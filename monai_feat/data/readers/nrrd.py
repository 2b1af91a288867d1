# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips in NRRD files, and sequences as 3D Slicer writes them (``.seq.nrrd``); pynrrd reads the header."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from monai.utils import optional_import

from monai_feat.data.inflate import GZIP_OR_ZLIB, inflated
from monai_feat.data.limits import read_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.arrays import ArrayClip
from monai_feat.data.readers.clip_file import UNKNOWN_SPACING, as_read_error
from monai_feat.data.video_container import file_status

__all__ = ["NrrdFile"]

_GZIP = ("gzip", "gz")
_COLOUR_KINDS = ("RGB-color", "3-color", "3-vector", "vector")
_TIME_KINDS = ("list", "time")
# Each type of NRRD and its other names (teem.sourceforge.net/nrrd/format.html, type).
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6}


class NrrdFile(ArrayClip):
    """A clip in NRRD: axes of space hold columns and rows, an axis of kind list or time, or the third of space, frames.

    The frame rate comes from the times that Slicer writes for a sequence, or from the spacing of an axis in seconds. A
    spacing of exactly 1 x 1 counts as unknown. Needs pynrrd (extra ``formats``).

    Raises:
        VideoReadError: the file is missing, damaged, text, in many files, or holds a volume over time; or pynrrd is
            missing.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        file_status(path)
        nrrd, has_nrrd = optional_import("nrrd")
        if not has_nrrd:
            raise VideoReadError(path, "is NRRD, which needs pynrrd: pip install 'monai-feat[formats]'")
        with as_read_error(path, "is NRRD with a damaged header"), Path(path).open("rb") as file:
            self._header: dict[str, Any] = dict(nrrd.read_header(_BoundedLines(path, file)))
            self._data_at = file.tell()
            self._dtype = _dtype(self._header)
            sizes = [int(n) for n in self._header["sizes"]]
            axes, kept = _axes_of(path, self._header, sizes)
            self._shape, self._kept = tuple(sizes), kept
            shape = tuple(n for n, is_kept in zip(sizes, kept, strict=True) if is_kept)
            place = {axis: [i for i, is_kept in enumerate(kept) if is_kept][axes.index(axis)] for axis in axes}
            rate, spacing = _rate(self._header, place.get("T")), _spacing(self._header, place["H"], place["W"])
            super().__init__(path, axes, shape, rate, spacing)
            self._find_data()

    def _find_data(self) -> None:
        self._data = self.path
        if (name := self._header.get("data file")) is not None:
            if not isinstance(name, str) or Path(name).name != name or not (self.path.parent / name).is_file():
                raise VideoReadError(self.path, f"keeps its pixels in {name!r}, which is not one file beside it")
            self._data, self._data_at = self.path.parent / name, 0
        encoding, needed = str(self._header["encoding"]), math.prod(self._shape) * self._dtype.itemsize
        if self._header.get("line skip") or encoding not in ("raw", *_GZIP):
            raise VideoReadError(self.path, f"is encoded as {encoding}; expected raw or gzip: save it again")
        skip = int(self._header.get("byte skip", 0))
        there = self._data.stat().st_size - self._data_at
        if encoding == "raw":
            # A skip of -1 stands for pixels that end with the file.
            self._data_at += skip if skip >= 0 else max(0, there - needed)
            if there - max(0, skip) < needed:
                raise VideoReadError(self.path, f"is truncated: {there} of {needed} bytes of pixels are there")

    @contextmanager
    def _opened_array(self) -> Iterator[npt.NDArray[Any]]:
        # The first axis of NRRD is the fastest.
        if str(self._header["encoding"]) == "raw":
            whole: npt.NDArray[Any] = np.memmap(self._data, self._dtype, "r", self._data_at, self._shape, order="F")
        else:
            whole = self._unpacked().reshape(self._shape, order="F")
        yield whole[tuple(slice(None) if is_kept else 0 for is_kept in self._kept)]

    def _unpacked(self) -> npt.NDArray[Any]:
        with self._data.open("rb") as file:
            file.seek(self._data_at)
            data = inflated(self.path, file, GZIP_OR_ZLIB).getbuffer()
        skip, count = max(0, int(self._header.get("byte skip", 0))), math.prod(self._shape)
        if len(data) - skip < count * self._dtype.itemsize:
            raise VideoReadError(self.path, "is truncated: its packed pixels are not complete")
        return np.frombuffer(data, self._dtype, count, skip)


class _BoundedLines:
    """The lines of a header, which has an end."""

    def __init__(self, path: str | os.PathLike[str], file: BinaryIO) -> None:
        self._path, self._file = path, file

    def __iter__(self) -> Iterator[bytes]:
        most = read_limits().header_bytes
        while line := self._file.readline(most):
            yield line
            if self._file.tell() > most:
                raise VideoReadError(
                    self._path, f"has a header of more than {most} bytes, expected far fewer: it is damaged"
                )


def _dtype(header: Mapping[str, Any]) -> np.dtype[Any]:
    """Type of the numbers.

    Raises:
        ValueError: there is none of this name.
    """
    found = [code for code, names in _TYPES.items() if header["type"] in names]
    if not found:
        raise ValueError(f"type {header['type']}; expected numbers of 1, 2 or 4 bytes, or reals")
    dtype: np.dtype[Any] = np.dtype(found[0]).newbyteorder(">" if header.get("endian") == "big" else "<")
    return dtype


def _axes_of(path: str | os.PathLike[str], header: Mapping[str, Any], sizes: Sequence[int]) -> tuple[str, list[bool]]:
    """Letters of the axes that are kept, and which are; others have length 1."""
    kinds = [str(kind) for kind in header.get("kinds") or ["domain"] * len(sizes)]
    if len(kinds) != len(sizes) or min(sizes, default=0) < 1:
        raise VideoReadError(path, f"has sizes {sizes} and kinds {kinds}, which do not fit")
    if not header.get("kinds") and sizes[0] in (3, 4) and len(sizes) > 2:
        raise VideoReadError(path, f"has sizes {sizes} and no kinds, which may be colour first; write kinds into it")
    space, letters = iter("WHT"), []
    for kind in kinds:
        if kind in _COLOUR_KINDS:
            letters.append("C")
        elif kind in _TIME_KINDS:
            letters.append("T")
        else:
            letters.append(next(space, "T"))
    kept = [letter != "T" or size > 1 for letter, size in zip(letters, sizes, strict=True)]
    axes = "".join(letter for letter, is_kept in zip(letters, kept, strict=True) if is_kept)
    if axes.count("T") > 1:
        raise VideoReadError(path, f"has sizes {sizes} of kinds {kinds}; expected a clip: one slice over time")
    return axes, kept


def _rate(header: Mapping[str, Any], axis: int | None) -> float:
    """Frames per second: of Slicer's times of a sequence, or of the spacing of an axis in seconds."""
    if axis is None:
        return 0.0
    units = header.get("units") or []
    unit = _SECONDS.get(str(units[axis]).strip('"') if len(units) > axis else "", 0.0)
    times = [float(time) for time in str(header.get(f"axis {axis} index values", "")).split()]
    if len(times) > 1 and times[-1] > times[0]:
        return (len(times) - 1) / ((times[-1] - times[0]) * (unit or 1.0))
    steps = header.get("spacings")
    step = float(steps[axis]) if steps is not None and len(steps) > axis else float("nan")
    return 1 / (step * unit) if step * unit > 0 else 0.0


def _spacing(header: Mapping[str, Any], rows: int, columns: int) -> tuple[float, float]:
    directions, steps = header.get("space directions"), header.get("spacings")
    if directions is not None:
        lengths = [float(np.linalg.norm(np.asarray(directions[axis], float))) for axis in (rows, columns)]
    elif steps is not None:
        lengths = [float(steps[axis]) for axis in (rows, columns)]
    else:
        return UNKNOWN_SPACING
    is_known = all(length > 0 for length in lengths) and lengths != [1.0, 1.0]
    return (lengths[0], lengths[1]) if is_known else UNKNOWN_SPACING
