# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One way in to the metadata of a clip, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from monai_feat.data.readers.dicom import is_dicom
from monai_feat.data.readers.still import is_still
from monai_feat.data.video_reader import STILL_SUFFIXES, VIDEO_SUFFIXES
from monai_feat.doctor.identifiers.containers import look_at_video
from monai_feat.doctor.identifiers.dicom import look_at_dicom
from monai_feat.doctor.identifiers.pictures import look_at_picture
from monai_feat.doctor.identifiers.traces import Traces
from monai_feat.doctor.identifiers.volumes import look_at_metaimage, look_at_nifti, look_at_nrrd

__all__ = ["look_at_metadata"]

_BY_SUFFIX: dict[tuple[str, ...], Callable[[Path], Traces]] = {
    (".nii", ".nii.gz"): look_at_nifti,
    (".mha", ".mhd"): look_at_metaimage,
    (".nrrd", ".nhdr"): look_at_nrrd,
    (".dcm", ".dicom", ".ima"): look_at_dicom,
    (*STILL_SUFFIXES, ".gif"): look_at_picture,
    VIDEO_SUFFIXES: look_at_video,
}


def look_at_metadata(files: Iterable[Path]) -> Traces:
    """Look at the metadata of the files of one clip.

    Args:
        files: one file, or the frames of a clip.
    """
    return Traces.joined(map(_look, files))


def _look(path: Path) -> Traces:
    # As readers do: DICOM and pictures are told by content, whatever they are called.
    if is_dicom(path):
        return look_at_dicom(path)
    if is_still(path):
        return look_at_picture(path)
    name = path.name.lower()
    for suffixes, look in _BY_SUFFIX.items():
        if name.endswith(suffixes):
            return look(path)
    return Traces(unseen=(f"the metadata of {path.suffix or 'files without suffix'}",))
