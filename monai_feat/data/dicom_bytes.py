# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files as one kind of stream, whether they are deflated or lack a preamble; and the video inside of some."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import FileMetaDataset
from pydicom.encaps import generate_fragments, parse_basic_offsets
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import data_element_generator, dcmread
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from monai_feat.data.inflate import RAW_DEFLATE, inflated
from monai_feat.data.read_error import VideoReadError

__all__ = ["encapsulated_video", "holds_video", "is_dicom", "is_video_syntax", "opened_dicom"]

# PS3.10 7.1: 128 bytes of anything, these letters, and the File Meta Information, whose first element has this tag.
_PREAMBLE, _LETTERS, _GROUP_LENGTH = bytes(128), b"DICM", b"\x02\x00\x00\x00UL\x04\x00"
_BEGIN = len(_PREAMBLE) + len(_LETTERS)
_META_GROUP = 2


def is_dicom(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as DICOM files do (PS3.10 7.1), with or without the preamble, whatever its name."""
    try:
        # A pipe would wait for its other end.
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            return _start_of_meta(file.read(_BEGIN)) >= 0
    except (OSError, ValueError):
        return False


@contextmanager
def opened_dicom(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A DICOM file as PS3.10 has it: what is deflated is unpacked, and a preamble that is missing is there.

    Raises:
        VideoReadError: it cannot be opened, is empty or no DICOM, or unpacks to more than `ReadLimits` allow.
    """
    try:
        file = _Bounded(os.fspath(path))
    except OSError as error:
        raise VideoReadError(path, f"cannot be opened ({error.strerror})") from None
    with file:
        if not (head := file.read(_BEGIN)):
            raise VideoReadError(path, "is empty (0 bytes)")
        if (start := _start_of_meta(head)) < 0:
            raise VideoReadError(path, "is not a DICOM file: its first bytes are others")
        whole = _as_stored(file, start)
        meta, end = _meta_of(whole)
        if UID(str(meta.get("TransferSyntaxUID") or "")) == DeflatedExplicitVRLittleEndian:
            whole.seek(end)
            whole = _inflated(path, meta, whole)
        whole.seek(0)
        yield whole


def is_video_syntax(syntax: UID) -> bool:
    """Whether pixels are a stream of MPEG-2, MPEG-4 or HEVC (PS3.5 8.2.5 to 8.2.8)."""
    return "MPEG" in syntax.name or "HEVC" in syntax.name


def holds_video(path: str | os.PathLike[str]) -> bool:
    """Whether a file is DICOM around a video stream."""
    if not is_dicom(path):
        return False
    try:
        with opened_dicom(path) as file:
            return is_video_syntax(UID(str(_meta_of(file)[0].get("TransferSyntaxUID") or "")))
    except Exception:  # whatever is wrong with the file, its reader will say so
        return False


def encapsulated_video(path: str | os.PathLike[str]) -> BinaryIO:
    """The video stream of a DICOM file, without what DICOM puts around it.

    Raises:
        VideoReadError: there is none.
    """
    with opened_dicom(path) as file:
        try:
            dcmread(file, stop_before_pixels=True)
            file.seek(12, os.SEEK_CUR)  # tag, VR and length of Pixel Data
            parse_basic_offsets(file)
            stream = io.BytesIO(b"".join(generate_fragments(file)))
        except Exception as error:
            raise VideoReadError(path, f"is DICOM with a damaged video stream ({error})") from error
    if not stream.getbuffer().nbytes:
        raise VideoReadError(path, "is DICOM without the video stream that it announces")
    return stream


class _Bounded(io.FileIO):
    """A file that is never asked for more than it has: damaged lengths would reserve gigabytes."""

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        data: bytes | None = super().read(left if size is None or size < 0 else min(size, left))
        return data or b""


class _WithPreamble(io.RawIOBase):
    """A file that begins with its File Meta Information at `start`, as if a preamble stood before it."""

    def __init__(self, file: _Bounded, start: int) -> None:
        self._file, self._start, self._position = file, start, 0

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            offset += os.fstat(self._file.fileno()).st_size - self._start + _BEGIN
        self._position = max(0, offset + (self._position if whence == os.SEEK_CUR else 0))
        return self._position

    def read(self, size: int = -1) -> bytes:
        head = (_PREAMBLE + _LETTERS)[self._position :]
        head = head if size < 0 else head[:size]
        self._file.seek(max(0, self._position + len(head) - _BEGIN) + self._start)
        data = head + self._file.read(-1 if size < 0 else size - len(head))
        self._position += len(data)
        return data


def _start_of_meta(head: bytes) -> int:
    """Where the File Meta Information begins; -1 where there is none."""
    if head[len(_PREAMBLE) :] == _LETTERS:
        return _BEGIN
    for before in (b"", _LETTERS):
        if head.startswith(before + _GROUP_LENGTH):
            return len(before)
    return -1


def _as_stored(file: _Bounded, start: int) -> BinaryIO:
    return file if start == _BEGIN else _WithPreamble(file, start)  # type: ignore[return-value]


def _meta_of(file: BinaryIO) -> tuple[FileMetaDataset, int]:
    """The File Meta Information, and where it ends."""
    file.seek(_BEGIN)
    elements = data_element_generator(file, False, True, stop_when=lambda tag, *_: tag.group != _META_GROUP)
    return FileMetaDataset({element.tag: element for element in elements}), file.tell()


def _inflated(path: str | os.PathLike[str], meta: FileMetaDataset, packed: BinaryIO) -> BinaryIO:
    """The same file, not deflated (PS3.5 A.5)."""
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    head = DicomBytesIO()
    write_file_meta_info(head, meta, enforce_standard=False)
    return inflated(path, packed, RAW_DEFLATE, _PREAMBLE + _LETTERS + head.getvalue())
