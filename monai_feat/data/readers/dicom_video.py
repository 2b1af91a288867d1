# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files around a video stream, and the one way in for DICOM of every kind."""

from __future__ import annotations

import os

from pydicom import dcmread

from monai_feat.data.dicom_bytes import holds_video, opened_dicom
from monai_feat.data.readers.clip_file import ClipFile, as_read_error
from monai_feat.data.readers.dicom import DicomFile
from monai_feat.data.readers.dicom_header import cine_rate, pixel_spacing
from monai_feat.data.readers.video import VideoFile

__all__ = ["DicomVideoFile", "open_dicom"]


class DicomVideoFile(VideoFile):
    """A stream of MPEG-2, MPEG-4 or HEVC inside of DICOM: what FFmpeg decodes, with the rate and scale of the header.

    Raises:
        VideoReadError: the file is missing, damaged or holds no such stream.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path)
        with opened_dicom(path) as file, as_read_error(path, "is DICOM with a damaged header"):
            header = dcmread(file, stop_before_pixels=True)
            self.frame_rate = self._possible_rate(cine_rate(header, self.frames)) or self.frame_rate
            self.spacing = self._possible_spacing(pixel_spacing(header))
            said = int(header.get("NumberOfFrames") or self.frames)
        if said != self.frames:
            self.remarks += (f"its header says {said} frames, and its stream has {self.frames}, which are read",)


def open_dicom(path: str | os.PathLike[str], slice_index: int | None = None) -> ClipFile:
    """Open a DICOM image of any kind.

    Args:
        path: the file.
        slice_index: which slice, from 0, of an Enhanced US Volume that holds several over time.

    Raises:
        VideoReadError: it is none, or none that can be read.
    """
    return DicomVideoFile(path) if holds_video(path) else DicomFile(path, slice_index)
