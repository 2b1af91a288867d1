# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image

from monai_feat.data import write_mp4
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers import DicomFile, FrameFolder, MetaImageFile, NiftiFile, VideoFile
from monai_feat.data.readers.load import clip_meta, load_clip, open_clip
from monai_feat.data.readers.still import StillFile
from tests.monai_feat.data.readers.test_dicom import colours, dicom, saved


def test_each_kind_has_its_reader(tmp_path: Path) -> None:
    write_mp4(torch.zeros(3, 2, 32, 32, dtype=torch.uint8), tmp_path / "a.mp4", 10)
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    (tmp_path / "frames").mkdir()
    Image.new("RGB", (6, 4)).save(tmp_path / "frames" / "1.png")
    nib.save(nib.Nifti1Image(np.zeros((6, 4, 2), np.uint8), np.eye(4)), tmp_path / "a.nii.gz")
    (tmp_path / "a.MHA").write_bytes(
        b"NDims = 3\nDimSize = 6 4 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n" + bytes(48)
    )
    saved(dicom(colours()), tmp_path / "IM_0001")
    readers = {
        "a.mp4": VideoFile,
        "a.png": StillFile,
        "frames": FrameFolder,
        "a.nii.gz": NiftiFile,
        "a.MHA": MetaImageFile,
        "IM_0001": DicomFile,
    }
    assert {name: type(open_clip(tmp_path / name)) for name in readers} == readers


def test_metadata_follow_what_was_read(tmp_path: Path) -> None:
    write_mp4(torch.zeros(3, 9, 32, 48, dtype=torch.uint8), tmp_path / "a.mp4", 30)
    clip = load_clip(tmp_path / "a.mp4", 1, 3, 2)
    assert (clip.meta["start"], clip.meta["stride"]) == (1, 2)
    assert clip.meta["frame_rate"] == pytest.approx(15)
    assert clip.meta["original_frame_rate"] == pytest.approx(30)
    assert clip.meta["source"] == str(tmp_path / "a.mp4")
    assert clip.meta["spatial_shape"].tolist() == list(clip.shape[1:]) == [3, 32, 48]
    assert all(math.isnan(step) for step in clip.meta["spacing"])
    assert torch.equal(clip.affine, torch.eye(4, dtype=clip.affine.dtype))


def test_the_affine_steps_by_millimetres_in_space_only(tmp_path: Path) -> None:
    write_mp4(torch.zeros(3, 9, 32, 48, dtype=torch.uint8), tmp_path / "a.mp4", 30)
    clip = open_clip(tmp_path / "a.mp4")
    clip.spacing = (0.5, 0.2)
    assert clip_meta(clip, (3, 9, 32, 48))["affine"].diagonal().tolist() == [1, 0.5, 0.2, 1]


def test_what_is_no_clip_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_text("text")
    for name in ("a.nii", "missing.mp4"):
        with pytest.raises(VideoReadError, match=name) as caught:
            open_clip(tmp_path / name)
        assert "\n" not in str(caught.value)
