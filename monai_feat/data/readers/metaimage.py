# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips in MetaImage files (.mha, .mhd), as written by ITK and by ultrasound research software such as PLUS.

The format is a text header before plain or zlib-compressed pixels; reading it here needs no ITK, takes only the frames
asked for, and keeps the time stamps that PLUS writes for each frame.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from monai_feat.data.limits import check_inflated, read_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import UNKNOWN_SPACING, ClipFile, one_line
from monai_feat.data.readers.eight_bits import exact_uint8, whole_numbers
from monai_feat.data.video_container import file_status

__all__ = ["MetaImageFile"]

_DTYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_CHUNK = 1 << 20


class MetaImageFile(ClipFile):
    """A clip in MetaImage: the first axis holds columns, the second rows, the third or the fourth frames.

    Rows and columns stay as they are stored. The frame rate comes from PLUS's time stamps, or from the fourth axis, in
    seconds; a third axis of frames has none, for its step is a length. Pixels are whole numbers from 0 to 255 of any
    type. A spacing of exactly 1 x 1 is what ITK writes where it knows none, and counts as unknown.

    Raises:
        VideoReadError: the file is missing, truncated, damaged or no MetaImage, or holds a volume over time.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        fields, self._offset = _read_header(path)
        try:
            self._parse(path, fields)
        except (KeyError, ValueError, OverflowError) as error:
            if isinstance(error, VideoReadError):
                raise
            raise VideoReadError(path, f"is a MetaImage with a damaged header ({one_line(error)})") from error

    def _parse(self, path: str | os.PathLike[str], fields: Mapping[str, str]) -> None:
        shape = [int(n) for n in fields["DimSize"].split()]
        columns, rows, third, fourth = (*shape, 1, 1)[:4] if 2 <= len(shape) <= 4 else (0, 0, 2, 2)
        channels = int(fields.get("ElementNumberOfChannels", 1))
        if min(third, fourth) > 1 or channels not in (1, 3):
            raise VideoReadError(
                path,
                f"has DimSize {fields['DimSize']} and {channels} channels; expected a clip: columns, rows, frames, or "
                "columns, rows, 1, frames, in grey or RGB",
            )
        if fields["ElementType"] not in _DTYPES or fields.get("BinaryData", "True") != "True":
            raise VideoReadError(path, f"holds {fields['ElementType']} pixels, or text; expected binary numbers")
        msb = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")) == "True"
        self._dtype = np.dtype(_DTYPES[fields["ElementType"]]).newbyteorder(">" if msb else "<")
        self._is_compressed = fields.get("CompressedData") == "True"
        steps = [float(step) for step in fields.get("ElementSpacing", "1 1").split()]
        if len(steps) < 2:
            raise ValueError(f"ElementSpacing = {fields['ElementSpacing']} for {len(shape)} axes")
        rate = _stamped_rate(fields) or (_rate(steps[3]) if len(steps) > 3 and fourth > 1 else 0.0)
        super().__init__(path, third * fourth, rate, (rows, columns), channels, _spacing(steps))
        self._find_data(fields)

    def _find_data(self, fields: Mapping[str, str]) -> None:
        self._frame_bytes = self.size[0] * self.size[1] * self.channels * self._dtype.itemsize
        needed = self.frames * self._frame_bytes
        if self._is_compressed:
            needed = int(fields.get("CompressedDataSize", 0))
        self._data = self.path
        if (name := fields["ElementDataFile"]) != "LOCAL":
            self._data, header = self.path.parent / name, int(fields.get("HeaderSize", 0))
            if Path(name).name != name or not self._data.is_file():
                raise VideoReadError(self.path, f"keeps its pixels in {name!r}, which is not a file beside it")
            # A negative length stands for a header of unknown length before pixels that end with the file.
            self._offset = header if header >= 0 else max(0, self._data.stat().st_size - needed)
        there = self._data.stat().st_size - self._offset
        if self._is_compressed:
            check_inflated(self.path, self.frames * self._frame_bytes, there)
        if not 0 <= needed <= there:
            raise VideoReadError(
                self.path, f"is truncated: {there} of {needed} bytes of pixels are there; copy it again"
            )

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        # np.array rather than ascontiguousarray: what comes from bytes is read-only.
        for frame in self._stored(numbers):
            yield torch.from_numpy(np.array(exact_uint8(self.path, frame), order="C"))

    def _decode_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for frame in self._stored(numbers):
            yield torch.from_numpy(np.array(whole_numbers(self.path, frame), order="C"))

    def _stored(self, numbers: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
        """Frames ``(C, H, W)`` of the file's type."""
        with self._data.open("rb") as file:
            file.seek(self._offset)
            stream = _Inflated(file) if self._is_compressed else _Plain(file)
            position = 0
            for number in numbers:
                try:
                    stream.skip((number - position) * self._frame_bytes)
                    data = stream.read(self._frame_bytes)
                except zlib.error as error:
                    raise VideoReadError(self.path, f"is damaged: frame {number}: {one_line(error)}") from None
                if len(data) < self._frame_bytes:
                    raise VideoReadError(self.path, f"is truncated: frame {number} of {self.frames} is not complete")
                position = number + 1
                yield np.frombuffer(data, self._dtype).reshape(*self.size, self.channels).transpose(2, 0, 1)


class _Plain:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def skip(self, count: int) -> None:
        self._file.seek(count, os.SEEK_CUR)

    def read(self, count: int) -> bytes:
        return self._file.read(count)


class _Inflated:
    """A zlib stream, unpacked only as far as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._zlib, self._packed = file, zlib.decompressobj(), b""

    def skip(self, count: int) -> None:
        while count > 0 and (piece := self._next(min(count, _CHUNK))):
            count -= len(piece)

    def read(self, count: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < count and (piece := self._next(count - len(pieces))):
            pieces += piece
        return bytes(pieces)

    def _next(self, count: int) -> bytes:
        while not self._zlib.eof:
            packed = self._packed or self._file.read(_CHUNK)
            piece = self._zlib.decompress(packed, count)
            self._packed = self._zlib.unconsumed_tail
            if piece or not packed:
                return piece
        return b""


def _read_header(path: str | os.PathLike[str]) -> tuple[dict[str, str], int]:
    """Fields of the header, and where it ends."""
    file_status(path)
    try:
        with Path(path).open("rb") as file:
            fields: dict[str, str] = {}
            while file.tell() < read_limits().header_bytes and (line := file.readline(_CHUNK)):
                key, equals, value = line.decode("latin-1").partition("=")
                if not equals:
                    break
                fields[key.strip()] = value.strip()
                if key.strip() == "ElementDataFile":
                    return fields, file.tell()
    except OSError as error:
        raise VideoReadError(path, f"cannot be opened ({error.strerror})") from None
    raise VideoReadError(
        path, "is not a MetaImage: its header has no ElementDataFile" if fields else "is not a MetaImage"
    )


def _stamped_rate(fields: Mapping[str, str]) -> float:
    """Mean rate of PLUS's time stamps in seconds, ``Seq_Frame0000_Timestamp``; 0.0 without them."""
    stamps = [float(v) for k, v in fields.items() if re.fullmatch(r"Seq_Frame\d+_Timestamp", k)]
    span = max(stamps, default=0.0) - min(stamps, default=0.0)
    return (len(stamps) - 1) / span if span > 0 else 0.0


def _rate(step: float) -> float:
    return 1 / step if step > 0 and step != 1 else 0.0


def _spacing(steps: Sequence[float]) -> tuple[float, float]:
    is_known = min(steps[:2]) > 0 and tuple(steps[:2]) != (1.0, 1.0)
    return (steps[1], steps[0]) if is_known else UNKNOWN_SPACING
