# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from monai_feat.doctor.identifiers.traces import Traces
from monai_feat.doctor.identifiers.volumes import look_at_metaimage, look_at_nifti, look_at_nrrd
from tests.monai_feat.data.folder_search import layouts
from tests.monai_feat.doctor.identifiers import planted


def test_plain_volumes_say_nothing(tmp_path: Path) -> None:
    layouts.nifti(tmp_path / "a.nii.gz", 3)
    (tmp_path / "a.mha").write_text(
        "ObjectType = Image\nNDims = 3\nSeq_Frame0000_Timestamp = 1\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "a.nrrd").write_text("NRRD0004\n# Complete NRRD file format specification at:\ntype: uint8\n\n")
    assert look_at_nifti(tmp_path / "a.nii.gz").found in ((), ("file name inside gzip",))
    assert look_at_metaimage(tmp_path / "a.mha") == Traces()
    assert look_at_nrrd(tmp_path / "a.nrrd") == Traces()


@pytest.mark.parametrize("field", ["descrip", "aux_file", "db_name"])
def test_fields_of_nifti_are_named_and_not_quoted(tmp_path: Path, field: str) -> None:
    found = look_at_nifti(planted.plant(tmp_path, f"nifti {field}")).found
    assert field in found[0]
    assert planted.WHO not in str(found)


def test_keys_and_comments_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.mha").write_text("NDims = 3\nPatientName = x\nSeq_Frame0000_Operator = y\nElementDataFile = LOCAL\n")
    assert look_at_metaimage(tmp_path / "a.mha").found == ("MetaImage PatientName, Seq_Frame0000_Operator",)
    (tmp_path / "a.nrrd").write_text("NRRD0004\n# of Jane\ntype: uint8\nmodality:=US\ncontent: Jane\n\n")
    assert look_at_nrrd(tmp_path / "a.nrrd").found == ("NRRD a comment, modality, content",)


def test_gzip_keeps_a_name_and_what_is_damaged_is_said(tmp_path: Path) -> None:
    layouts.nifti(tmp_path / "b.nii", 2)
    with (tmp_path / "a.nii.gz").open("wb") as raw, gzip.GzipFile("jane_doe.nii", "wb", fileobj=raw) as packed:
        packed.write((tmp_path / "b.nii").read_bytes())
    assert "file name inside gzip" in look_at_nifti(tmp_path / "a.nii.gz").found
    (tmp_path / "c.nii").write_bytes(b"no header")
    assert look_at_nifti(tmp_path / "c.nii").unseen
