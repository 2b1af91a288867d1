# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Readers of clips: video, folders of frames, DICOM, NIfTI and MetaImage, all giving the same tensor."""

from __future__ import annotations

from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.dicom import DicomFile
from monai_feat.data.readers.frame_folder import FrameFolder
from monai_feat.data.readers.image_reader import VideoReader
from monai_feat.data.readers.load import load_clip, open_clip
from monai_feat.data.readers.metaimage import MetaImageFile
from monai_feat.data.readers.nifti import NiftiFile
from monai_feat.data.readers.video import VideoFile

__all__ = [
    "ClipFile",
    "DicomFile",
    "FrameFolder",
    "MetaImageFile",
    "NiftiFile",
    "VideoFile",
    "VideoReader",
    "load_clip",
    "open_clip",
]
