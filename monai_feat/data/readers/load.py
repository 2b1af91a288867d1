# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One way in for clips of every format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor

from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.arrays import Hdf5File, NumpyFile
from monai_feat.data.readers.clip_address import split_address
from monai_feat.data.readers.clip_file import ClipFile, as_read_error, warn_of_remarks
from monai_feat.data.readers.dicom import is_dicom
from monai_feat.data.readers.dicom_video import open_dicom
from monai_feat.data.readers.frame_folder import FrameFolder, is_frame_pattern
from monai_feat.data.readers.metaimage import MetaImageFile
from monai_feat.data.readers.nifti import NiftiFile
from monai_feat.data.readers.nrrd import NrrdFile
from monai_feat.data.readers.still import is_still
from monai_feat.data.readers.tiff import open_still
from monai_feat.data.readers.video import VideoFile

__all__ = ["CLIP_FILE_SUFFIXES", "clip_meta", "load_clip", "open_clip"]

_Opener = Callable[..., ClipFile]
_BY_SUFFIX: dict[str, _Opener] = {
    ".dcm": open_dicom,
    ".dicom": open_dicom,
    ".nii": NiftiFile,
    ".nii.gz": NiftiFile,
    ".mha": MetaImageFile,
    ".mhd": MetaImageFile,
    ".nrrd": NrrdFile,
    ".nhdr": NrrdFile,
    ".npy": NumpyFile,
    ".npz": NumpyFile,
    ".h5": Hdf5File,
    ".hdf5": Hdf5File,
}
_OPTIONS: dict[_Opener, tuple[str, ...]] = {
    NumpyFile: ("array", "axes"),
    Hdf5File: ("array", "axes"),
    open_dicom: ("slice_index",),
}
CLIP_FILE_SUFFIXES = tuple(_BY_SUFFIX)


def open_clip(
    path: str | os.PathLike[str], array: str | None = None, axes: str | None = None, slice_index: int | None = None
) -> ClipFile:
    """Open a clip of any format, without decoding it.

    A folder is a clip of the still images in it; where other images share it, ``folder/frame_%d.png`` names its frames.
    DICOM is recognised by content; NIfTI, MetaImage, NRRD, NumPy's files and HDF5 by suffix; pictures by content, for
    Pillow; everything else is left to FFmpeg, which goes by content.

    Args:
        path: a file, or a folder of frames; it may say the options below itself: ``echo.h5#array=frames&axes=TCHW``.
        array: name of the array, in NPZ and HDF5 files that hold several.
        axes: order of the array's axes, such as ``"THWC"``, where its shape leaves doubt.
        slice_index: which slice, from 0, of an Enhanced US Volume in DICOM that holds several over time.

    Raises:
        VideoReadError: there is no clip that can be read, or an option does not belong to this format; one line says
            why.
    """
    path, options = split_address(path)
    given = {"array": array, "axes": axes, "slice_index": slice_index}
    options |= {name: value for name, value in given.items() if value is not None}
    with as_read_error(path, "is damaged or not supported"):
        opener = _opener(path)
        if not options:
            return opener(path)
    known = _OPTIONS.get(opener, ())
    if unknown := sorted(options.keys() - set(known)):
        raise VideoReadError(path, f"takes the options {', '.join(known) or '(none)'}, got {', '.join(unknown)}")
    with as_read_error(path, "is damaged or not supported"):
        return opener(path, **options)


def _opener(path: str | os.PathLike[str]) -> _Opener:
    """What opens a clip of this kind."""
    if Path(path).is_dir() or is_frame_pattern(path):
        return FrameFolder
    if is_dicom(path):
        return open_dicom
    name = Path(path).name.lower()
    for suffix, opener in _BY_SUFFIX.items():
        if name.endswith(suffix):
            return opener
    return open_still if is_still(path) else VideoFile


def load_clip(
    path: str | os.PathLike[str],
    start: int = 0,
    num_frames: int | None = None,
    stride: int = 1,
    array: str | None = None,
    axes: str | None = None,
    slice_index: int | None = None,
) -> MetaTensor:
    """Read frames ``start, start + stride, …`` of a clip of any format; only these are decoded.

    Args:
        path: a video, a still, a folder of frames, DICOM or an array; see `open_clip`.
        start: number of the first frame, from 0.
        num_frames: frames to return; ``None`` reads to the end.
        stride: step between frames, in frames of the file.
        array: see `open_clip`.
        axes: see `open_clip`.
        slice_index: see `open_clip`.

    Returns:
        uint8 ``(C, T, H, W)`` in [0, 255]; C = 3 (RGB), or 1 where the file says that it is grey (monochrome DICOM,
        NIfTI and MetaImage of one channel). ``meta`` is described at `clip_meta`.

    Raises:
        VideoReadError: there is no clip that can be read, or it has fewer frames than asked for.
        ValueError: `start`, `num_frames` or `stride` is out of range.
    """
    clip = open_clip(path, array, axes, slice_index)
    warn_of_remarks({clip.path: clip.remarks})
    pixels = clip.read(start, num_frames, stride)
    return MetaTensor(pixels, meta=clip_meta(clip, tuple(pixels.shape), start, stride))


def clip_meta(clip: ClipFile, shape: tuple[int, ...], start: int = 0, stride: int = 1) -> dict[str, Any]:
    """Metadata of frames taken from a clip.

    Args:
        clip: the file.
        shape: ``(C, T, H, W)`` of what was read.
        start: number of the first frame.
        stride: step between frames.

    Returns:
        ``frame_rate``, Hz between the frames that were read, 0.0 where unknown; ``spacing``, mm of a pixel's height and
        width, NaN where unknown; ``source``, the file; ``original_frames``, ``original_frame_rate`` and
        ``original_size`` (rows, columns) of the file; ``start`` and ``stride``. Beside them MONAI's own keys: the
        affine steps by one frame, and by the spacing (1 where unknown) along rows and columns, never by time.
    """
    steps = [1.0, *(step if step == step else 1.0 for step in clip.spacing)]
    affine = np.diag([*steps, 1.0])
    return {
        "frame_rate": clip.frame_rate / stride,
        "spacing": clip.spacing,
        "source": str(clip.path),
        "original_frames": clip.frames,
        "original_frame_rate": clip.frame_rate,
        "original_size": clip.size,
        "start": start,
        "stride": stride,
        "filename_or_obj": str(clip.path),
        "original_channel_dim": 0,
        "spatial_shape": np.asarray(shape[1:]),
        "affine": affine,
        "original_affine": affine.copy(),
    }
