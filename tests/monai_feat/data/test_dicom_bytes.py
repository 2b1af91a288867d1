# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM in other wrappings against the same file in the usual one."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
import torch
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from monai_feat.data.dicom_bytes import encapsulated_video, holds_video, is_dicom, opened_dicom
from monai_feat.data.limits import reading_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.load import load_clip
from tests.monai_feat.data.readers.test_dicom import colours, dicom, saved


@pytest.fixture
def usual(tmp_path: Path) -> Path:
    return saved(dicom(colours(), FrameTime=40), tmp_path / "usual.dcm")


def deflated(usual: Path, name: str) -> Path:
    data = dcmread(usual)
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return saved(data, usual.with_name(name))


@pytest.mark.parametrize("kept", [b"", b"DICM"])
@pytest.mark.parametrize("is_deflated", [False, True])
def test_a_preamble_that_is_missing_is_not_missed(usual: Path, kept: bytes, is_deflated: bool) -> None:
    source = deflated(usual, "b.dcm") if is_deflated else usual
    bare = usual.with_name("bare")
    bare.write_bytes(kept + source.read_bytes()[132:])
    assert is_dicom(bare)
    clip, truth = load_clip(bare), load_clip(usual)
    assert torch.equal(clip.as_tensor(), truth.as_tensor())
    assert clip.meta["frame_rate"] == truth.meta["frame_rate"] == 25
    with opened_dicom(bare) as file:
        whole = file.read()
        for start in (0, 100, 131, 132, 500):
            file.seek(start)
            assert file.read(60) == whole[start : start + 60]
        assert file.seek(-10, os.SEEK_END) == len(whole) - 10
        assert len(file.read(100)) == 10


def test_what_is_deflated_unpacks_to_the_same_and_within_a_limit(usual: Path) -> None:
    path = deflated(usual, "deflated.dcm")
    assert path.stat().st_size < usual.stat().st_size
    with opened_dicom(path) as file:
        assert dcmread(file).PixelData == dcmread(usual).PixelData
    head, bomb = path.read_bytes()[:400], zlib.compressobj(9, zlib.DEFLATED, -15)
    start = 144 + int.from_bytes(head[140:144], "little")
    path.write_bytes(head[:start] + bomb.compress(bytes(10**7)) + bomb.flush())
    with reading_limits(inflated_bytes=0), pytest.raises(VideoReadError, match=r"reading_limits\(inflated_bytes=…\)"):
        load_clip(path)


def test_a_pipe_and_other_files_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "text.dcm").write_text("DICOM is not a word that a file begins with")
    for name in ("pipe.dcm", "text.dcm", "missing.dcm", "nul\0.dcm"):
        assert not is_dicom(tmp_path / name)
        assert not holds_video(tmp_path / name)


def test_a_file_without_a_stream_is_named(usual: Path) -> None:
    with pytest.raises(VideoReadError, match=r"usual\.dcm: is DICOM with(out| a damaged)"):
        encapsulated_video(usual)
