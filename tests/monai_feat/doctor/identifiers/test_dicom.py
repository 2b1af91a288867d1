# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from monai_feat.doctor.identifiers.dicom import look_at_dicom
from monai_feat.doctor.identifiers.dicom_bytes import find_attributes
from tests.monai_feat.data.folder_search import layouts

NAME = "DOE^JANE"


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
@pytest.mark.parametrize("depth", [0, 1, 12])
def test_a_name_is_found_in_every_encoding_at_every_depth(tmp_path: Path, syntax: str, depth: int) -> None:
    data = layouts.dicom(tmp_path / "a.dcm")
    inner = Dataset()
    inner.PatientName = NAME
    for level in range(depth):
        outer = Dataset()
        outer.add_new(0x00081140 if level % 2 else 0x00400275, "SQ", Sequence([inner]))
        inner = outer
    fresh = Dataset()
    fresh.file_meta = data.file_meta
    fresh.update(data)
    fresh.update(inner)
    del fresh.PixelData
    fresh.file_meta.TransferSyntaxUID = syntax
    encoding = {"implicit_vr": syntax == ImplicitVRLittleEndian, "little_endian": syntax != ExplicitVRBigEndian}
    dcmwrite(tmp_path / "b.dcm", fresh, **encoding, enforce_file_format=True)
    traces = look_at_dicom(tmp_path / "b.dcm")
    assert "PatientName" in "; ".join(traces.found)
    assert NAME not in str(traces)


def test_a_damaged_header_cannot_hide_a_name(tmp_path: Path) -> None:
    """Bytes of the header are changed at random; the name itself and its number stay."""
    data = layouts.dicom(tmp_path / "a.dcm")
    inner = Dataset()
    inner.PatientName = NAME
    data.RequestAttributesSequence = Sequence([inner])
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    whole = (tmp_path / "a.dcm").read_bytes()
    place = whole.index(struct.pack("<HH", 0x10, 0x10) + b"PN")
    pixels = whole.index(struct.pack("<HH", 0x7FE0, 0x10))
    generator = np.random.default_rng(0)
    for number in range(60):
        broken = bytearray(whole)
        for at in generator.integers(132, pixels, 8):
            if not place <= at < place + 8 + len(NAME):
                broken[at] = generator.integers(256)
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(bytes(broken))
        assert "PatientName" in "; ".join(look_at_dicom(path).found), number


def test_an_empty_or_replaced_header_holds_only_uids(tmp_path: Path) -> None:
    data = layouts.dicom(tmp_path / "a.dcm")
    data.PatientName, data.PatientID, data.StudyDate = "", "", ""
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    traces = look_at_dicom(tmp_path / "a.dcm")
    assert traces.found == traces.unseen == ()
    assert traces.uids >= 1


def test_what_is_said_is_what_pydicom_reads(shared_data: Path) -> None:
    path = shared_data / "dicom" / "OBXXXX1A_rle_2frame.dcm"
    said = "; ".join(look_at_dicom(path).found)
    header = dcmread(path, stop_before_pixels=True)
    for keyword in ("PatientName", "PatientID", "InstitutionName", "StationName", "StudyDate"):
        assert (keyword in said) == bool(str(header.get(keyword) or ""))
    assert "66 private attributes" in said


def test_bytes_without_a_value_are_no_finding() -> None:
    empty = struct.pack("<HH2sH", 0x10, 0x10, b"PN", 0)
    blank = struct.pack("<HH2sH", 0x10, 0x10, b"PN", 4) + b"  ^ "
    noise = np.random.default_rng(1).integers(0, 256, 1 << 18, dtype=np.uint8).tobytes()
    assert find_attributes(empty + blank) == set()
    assert len(find_attributes(noise)) <= 1
    assert find_attributes(noise + struct.pack(">HH2sH", 0x10, 0x10, b"PN", 4) + b"A^B ") >= {"PatientName"}
