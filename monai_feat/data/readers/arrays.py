# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips in arrays with named axes: NumPy's files and HDF5."""

from __future__ import annotations

import math
import os
import zipfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from monai.utils import optional_import
from numpy.lib import format as npy_format
from torch import Tensor

from monai_feat.data.limits import allowed_inflation
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_file import UNKNOWN_SPACING, ClipFile, as_read_error
from monai_feat.data.readers.eight_bits import exact_uint8, whole_numbers
from monai_feat.data.video_container import file_status

__all__ = ["ArrayClip", "Hdf5File", "NumpyFile", "likely_axes"]

_AXES = "THWC"
_CHANNELS = (1, 3)
_SHOWN = 8


class ArrayClip(ClipFile):
    """A clip in an array, whose axes are time, height, width and channel in any order; uint8 or what is exactly that.

    Args:
        path: the file.
        axes: order of the array's axes, such as ``"THWC"``; one that is missing has one entry.
        shape: of the array.
        frame_rate: in Hz; 0.0 where unknown.
        spacing: height and width of a pixel in mm.

    Raises:
        VideoReadError: the axes do not fit the array, or there are other than 1 or 3 channels.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        axes: str,
        shape: Sequence[int],
        frame_rate: float = 0.0,
        spacing: tuple[float, float] = UNKNOWN_SPACING,
    ) -> None:
        if len(axes) != len(shape) or len(set(axes)) != len(axes) or not {"H", "W"} <= set(axes) <= set(_AXES):
            raise VideoReadError(
                path,
                f"has an array of shape {tuple(shape)}; expected one letter of {_AXES} for each axis, got {axes!r}",
            )
        lengths = dict(zip(axes, (int(n) for n in shape), strict=True))
        if (channels := lengths.get("C", 1)) not in _CHANNELS:
            raise VideoReadError(path, f"has {channels} channels by axes={axes!r}; expected 1 or 3")
        super().__init__(path, lengths.get("T", 1), frame_rate, (lengths["H"], lengths["W"]), channels, spacing)
        self._axes = axes

    @abstractmethod
    def _opened_array(self) -> AbstractContextManager[Any]:
        """The array, or what is sliced like one, while the block lasts."""

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for frame in self._frames_as_stored(numbers):
            yield torch.from_numpy(np.array(exact_uint8(self.path, frame), order="C"))

    def _decode_values(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        for frame in self._frames_as_stored(numbers):
            yield torch.from_numpy(np.array(whole_numbers(self.path, frame), order="C"))

    def _frames_as_stored(self, numbers: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
        """Frames ``(C, H, W)`` of the array's type."""
        rest = self._axes.replace("T", "")
        order = [rest.index(axis) for axis in "CHW" if axis in rest]
        with self._opened_array() as array:
            for number in numbers:
                frame = np.asarray(array[tuple(number if axis == "T" else slice(None) for axis in self._axes)])
                yield frame.transpose(order).reshape(self.channels, *self.size)


class NumpyFile(ArrayClip):
    """A clip in NumPy's ``.npy``, or in one array of an ``.npz``.

    Args:
        path: the file.
        array: name of the array in an ``.npz`` that holds several.
        axes: order of its axes; see `likely_axes` for what is understood without.

    Raises:
        VideoReadError: there is no such array, it is damaged, of Python objects, or its axes are not clear.
    """

    def __init__(self, path: str | os.PathLike[str], array: str | None = None, axes: str | None = None) -> None:
        file_status(path)
        self.path = Path(path)
        with as_read_error(path, "is not an array of NumPy that can be read"):
            self._name = _member(path, array) if self._is_archive else ""
            with self._opened_array() as opened:
                shape = opened.shape
        super().__init__(path, axes or likely_axes(path, shape), shape)

    @property
    def _is_archive(self) -> bool:
        return self.path.suffix.lower() == ".npz"

    @contextmanager
    def _opened_array(self) -> Iterator[npt.NDArray[Any]]:
        if not self._is_archive:
            yield np.load(self.path, mmap_mode="r", allow_pickle=False)
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(self._name) as member:
            yield _unpacked_array(self.path, member, archive.getinfo(self._name).file_size)


class Hdf5File(ArrayClip):
    """A clip in a data set of an HDF5 file, read frame by frame; needs h5py (extra ``formats``).

    Args:
        path: the file.
        array: name of the data set, such as ``"group/frames"``, where there are several.
        axes: order of its axes; without it, the labels of its dimensions, or what `likely_axes` says.

    Raises:
        VideoReadError: there is no such data set in this file itself, or its axes are not clear, or h5py is missing.
    """

    def __init__(self, path: str | os.PathLike[str], array: str | None = None, axes: str | None = None) -> None:
        file_status(path)
        h5py, has_h5py = optional_import("h5py")
        if not has_h5py:
            raise VideoReadError(path, "is HDF5, which needs h5py: pip install 'monai-feat[formats]'")
        self.path, self._h5py = Path(path), h5py
        with as_read_error(path, "is not an HDF5 file that can be read"), h5py.File(path, "r") as file:
            self._name = _chosen(path, _data_sets(file, h5py), array)
            found = file[self._name]
            _check_storage(path, found)
            labels = "".join(dimension.label for dimension in found.dims)
            shape = found.shape
        super().__init__(path, axes or labels or likely_axes(path, shape), shape)

    @contextmanager
    def _opened_array(self) -> Iterator[Any]:
        with self._h5py.File(self.path, "r") as file:
            yield file[self._name]


def likely_axes(path: str | os.PathLike[str], shape: Sequence[int]) -> str:
    """The order of axes that a shape leaves no doubt of.

    Two axes are height and width; three, of which neither the first nor the last could be channels, time, height and
    width; four are these with the one of length 1 or 3 as channels, wherever it is.

    Raises:
        VideoReadError: there are several ways to read the shape, or none; names the option that decides.
    """
    three = ["THW"] if len(shape) == 3 and shape[0] not in _CHANNELS and shape[-1] not in _CHANNELS else []
    four = [
        axes for axes, place in (("THWC", 3), ("TCHW", 1), ("CTHW", 0)) if len(shape) == 4 and shape[place] in _CHANNELS
    ]
    likely = ["HW"] if len(shape) == 2 else three + four
    if len(likely) != 1:
        raise VideoReadError(
            path,
            f"has an array of shape {tuple(shape)}, of which the axes are not clear; say their order, such as "
            'axes="THWC", or axes="THW" without channels',
        )
    return likely[0]


def _chosen(path: str | os.PathLike[str], names: Sequence[str], wanted: str | None) -> str:
    """The array that is meant."""
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is not None and wanted in names:
        return wanted
    listed = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    what = f"there is no {wanted!r}" if wanted else "choose one: array=…"
    raise VideoReadError(path, f"holds the arrays {listed or '(none)'}; {what}")


def _member(path: str | os.PathLike[str], wanted: str | None) -> str:
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    return f"{_chosen(path, names, wanted)}.npy"


def _unpacked_array(path: str | os.PathLike[str], member: Any, promised: int) -> npt.NDArray[Any]:
    """Read an array out of an archive, trusting neither the archive's sizes nor the array's."""
    if promised > allowed_inflation(path):
        raise VideoReadError(path, f"unpacks to {promised} bytes; raise the limit: reading_limits(inflated_bytes=…)")
    shape, is_fortran, dtype = _npy_header(member)
    if dtype.hasobject:
        raise VideoReadError(path, "holds Python objects, which are not read")
    data = member.read()
    if len(data) < math.prod(shape) * dtype.itemsize:
        raise VideoReadError(path, f"is truncated: an array of {shape} is not complete")
    return np.frombuffer(data, dtype, math.prod(shape)).reshape(shape, order="F" if is_fortran else "C")


def _npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(file)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    return tuple(int(n) for n in shape), bool(is_fortran), dtype


def _data_sets(file: Any, h5py: Any) -> list[str]:
    """Names of the arrays of numbers in this file; links to others are not followed."""
    names: list[str] = []

    def note(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and found.ndim >= 2 and found.dtype.kind in "buif":
            names.append(name)

    file.visititems(note)
    return names


def _check_storage(path: str | os.PathLike[str], found: Any) -> None:
    """Refuse data of other files, and pieces that are unpacked as a whole and too large for it."""
    if found.external or found.is_virtual:
        raise VideoReadError(path, f"keeps {found.name} in other files; copy it into one")
    piece = math.prod(found.chunks or (1,)) * found.dtype.itemsize
    if piece > allowed_inflation(path):
        raise VideoReadError(path, f"is packed in pieces of {piece} bytes: reading_limits(inflated_bytes=…)")
