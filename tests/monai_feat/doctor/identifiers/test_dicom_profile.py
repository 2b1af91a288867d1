# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from monai_feat.doctor.identifiers.dicom_profile import is_identifying, is_private, is_uid, known_tags, name_of


def test_the_profile_knows_what_identifies() -> None:
    for tag in (0x00100010, 0x00100020, 0x00081030, 0x00080080, 0x60003000, 0x50100005):
        assert is_identifying(tag), name_of(tag)
    for tag in (0x00280010, 0x00080060, 0x7FE00010, 0x00080018):
        assert not is_identifying(tag), name_of(tag)
    assert is_uid(0x0020000D)
    assert is_private(0x00091010)


# PS3.15, Table E.1-1, read by hand: action X, Z or D of the Basic Profile.
@pytest.mark.parametrize(
    "keyword", ["PatientBirthDate", "AccessionNumber", "ReferringPhysicianName", "DeviceSerialNumber", "StudyTime",
                "ImageComments", "PatientAddress", "OperatorsName", "ProtocolName", "StudyDescription"],
)  # fmt: skip
def test_attributes_of_the_table_identify(keyword: str) -> None:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    assert is_identifying(tag)
    assert name_of(tag) == keyword


def test_what_is_sought_in_bytes_has_a_value_of_its_own() -> None:
    assert 0x00100010 in known_tags()
    assert not {dictionary_VR(tag) for tag in known_tags()} & {"SQ", "UI"}
    assert name_of(0x00091010) == "(0009,1010)"
    assert not is_private(0x00100010)
