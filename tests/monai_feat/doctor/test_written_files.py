# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What we write carries over nothing of its source but pixels, frame rate and spacing, and no absolute path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from monai.transforms import SaveImage

from monai_feat.data import load_clip
from monai_feat.data.datalist import ClipItem, build_datalist, write_datalist
from monai_feat.doctor.identifiers import look_at_metadata
from tests.monai_feat.doctor.identifiers import planted


@pytest.mark.parametrize("name", ["dicom name", "mp4 title", "nifti extension", "metaimage key", "gif comment"])
@pytest.mark.parametrize("suffix", ["mp4", "gif", "png", "nii.gz", "nii"])
def test_written_clips_carry_nothing_of_their_source(tmp_path: Path, name: str, suffix: str) -> None:
    source = planted.plant(tmp_path / "in", name)
    save = SaveImage(tmp_path / "out", "copy", f".{suffix}", separate_folder=False, print_log=False)
    save.set_options(write_kwargs={"frame_rate": 10})
    save(load_clip(source))
    files = [Path(where) / file for where, _, names in os.walk(tmp_path / "out") for file in names]
    assert files
    assert look_at_metadata(files).found == ()
    for file in files:
        assert b"mustermann" not in file.read_bytes().lower()
        assert os.fsencode(tmp_path / "in") not in file.read_bytes()


def test_datalists_hold_no_absolute_path(tmp_path: Path) -> None:
    clips = [planted.plant(tmp_path / "there" / name, name) for name in ("jpeg exif", "png text")]
    (tmp_path / "here").mkdir()
    write_datalist(build_datalist([ClipItem(clip) for clip in clips], 2), tmp_path / "here" / "d.json")
    assert str(tmp_path) not in (tmp_path / "here" / "d.json").read_text()
