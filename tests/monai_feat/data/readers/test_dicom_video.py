# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Video streams inside of DICOM against the same streams outside of it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from pydicom.encaps import encapsulate
from pydicom.uid import HEVCMP51, MPEG2MPML, MPEG4HP41, UID

from monai_feat.data import load_clip, read_video
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.dicom import DicomFile
from monai_feat.data.readers.dicom_video import DicomVideoFile, open_dicom
from tests.monai_feat.data.readers.test_dicom import colours, dicom, saved

FRAMES = 12


def stream(path: Path, codec: str, container: str) -> Path:
    with av.open(str(path), "w", format=container) as file:
        video = file.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for t in range(FRAMES):
            picture = np.full((48, 64, 3), 20 * t, np.uint8)
            file.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(video.encode(None))
    return path


def wrapped(path: Path, video: bytes, syntax: UID, fragments: int = 1, frames: int = FRAMES) -> Path:
    data = dicom(np.zeros((1, 48, 64, 3), np.uint8), "YBR_PARTIAL_420")
    data.Rows, data.Columns, data.NumberOfFrames, data.FrameTime = 48, 64, frames, 50
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate([video], fragments_per_frame=fragments)
    data["PixelData"].is_undefined_length = True
    return saved(data, path)


@pytest.mark.parametrize(
    ("codec", "container", "syntax"),
    [
        ("mpeg2video", "mpeg2video", MPEG2MPML),
        ("mpeg2video", "mpegts", MPEG2MPML),
        ("libx264", "mp4", MPEG4HP41),
        ("libx264", "h264", MPEG4HP41),
        ("libx264", "mpegts", MPEG4HP41),
        ("libx265", "hevc", HEVCMP51),
    ],
)
@pytest.mark.parametrize("fragments", [1, 3])
def test_a_stream_is_what_it_is_outside(
    tmp_path: Path, codec: str, container: str, syntax: UID, fragments: int
) -> None:
    outside = stream(tmp_path / "a.bin", codec, container)
    path = wrapped(tmp_path / "a.dcm", outside.read_bytes(), syntax, fragments)
    clip = open_dicom(path)
    assert isinstance(clip, DicomVideoFile)
    assert (clip.frames, clip.size, clip.frame_rate, clip.remarks) == (FRAMES, (48, 64), 20, ())
    assert torch.equal(clip.read(), read_video(outside))
    assert torch.equal(load_clip(path, 5, 2).as_tensor(), read_video(outside, 5, 2))


def test_another_number_of_frames_is_remarked(tmp_path: Path) -> None:
    outside = stream(tmp_path / "a.bin", "libx264", "mp4")
    clip = open_dicom(wrapped(tmp_path / "a.dcm", outside.read_bytes(), MPEG4HP41, frames=99))
    assert clip.remarks == ("its header says 99 frames, and its stream has 12, which are read",)


def test_other_dicom_is_left_to_its_reader_and_damage_is_named(tmp_path: Path) -> None:
    assert isinstance(open_dicom(saved(dicom(colours()), tmp_path / "a.dcm")), DicomFile)
    with pytest.raises(VideoReadError, match=r"b\.dcm: is not a video"):
        open_dicom(wrapped(tmp_path / "b.dcm", b"no video at all" * 9, MPEG4HP41))
