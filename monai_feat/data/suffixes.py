# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Endings of the files that are read as clips; what a file is, its content decides where that can be told."""

from __future__ import annotations

__all__ = ["ARRAY_SUFFIXES", "STILL_SUFFIXES", "VIDEO_SUFFIXES", "readable_endings"]

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".avi", ".mkv", ".webm", ".wmv", ".asf", ".flv", ".ogv", ".mxf", ".gif"),
    *(".mpeg", ".mpg", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".h264", ".264", ".hevc", ".265", ".mjpeg", ".mjpg"),
)
STILL_SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".apng", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jp2", ".j2k", ".mpo"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
ARRAY_SUFFIXES = (
    *(".dcm", ".dicom", ".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".nhdr"),
    *(".npy", ".npz", ".h5", ".hdf5"),
)

# What is not a clip here, and which of MONAI's readers takes it.
_READERS_OF_OTHERS = {
    ".mgz": "NibabelReader",
    ".mgh": "NibabelReader",
    ".hdr": "NibabelReader",
    ".img": "NibabelReader",
    ".gipl": "ITKReader",
    ".vtk": "ITKReader",
    ".mnc": "ITKReader",
}


def readable_endings(name: str) -> str:
    """What to tell somebody whose file cannot be read: who reads such files, and the endings that are read here."""
    ending = name.lower()[name.rfind(".") :] if "." in name else ""
    other = _READERS_OF_OTHERS.get(ending)
    hint = f"MONAI's {other} takes files that end in {ending}; here, " if other else ""
    return f"{hint}these are read: {' '.join((*VIDEO_SUFFIXES, *STILL_SUFFIXES, *ARRAY_SUFFIXES))}"
