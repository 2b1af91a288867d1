# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from monai_feat.doctor.identifiers.file_names import traces_in_name


@pytest.mark.parametrize(
    ("path", "trace"),
    [
        ("Doe_Jane/a.mp4", "person"), ("DOE^JANE.dcm", "person"), ("a/Dr. Meier.avi", "person"),
        ("Müller, Jürgen/x.png", "person"), ("SMITH_JOHN_liver.mov", "person"),
        ("2019-03-04.mp4", "a date"), ("liver_20190304_1.mp4", "a date"), ("04.03.2019/a.mp4", "a date"),
        ("12345678.mp4", "number"), ("MRN00123456/a.mp4", "number"), ("pid_20231/a.png", "number"),
        ("jane@example.org.mp4", "e-mail"), ("1.2.840.113619.2.55.3.604688119", "unique identifier"),
    ],
)  # fmt: skip
def test_what_names_give_away_is_said_without_the_name(path: str, trace: str) -> None:
    (found,) = traces_in_name(PurePosixPath(path))
    assert trace in found
    assert not {word for word in path.replace("/", "_").split("_") if len(word) > 4} & set(found.split())


@pytest.mark.parametrize(
    "path",
    ["clips/patient_000/clip_0000.mp4", "cju0qkwl35piu0993l0dewei2.jpg", "Videos/0X1A05DFFFCAFB253B.avi",
     "Cov_convex_sonographic_v1.mov", "Reg_pat1Image_133410.mpeg", "video01/video01_00080/frame_%d_endo.png",
     "patient0001_2CH_half_sequence.nii.gz", "benign/benign (1).png", "Ground Truth/1.tif", "0000123456.png",
     "Left_Prograsp_Forceps_labels/frame000.png", "Dataset_BUSI_with_GT/a.png", "cholec80_v01_lapchole.mp4"],
)  # fmt: skip
def test_names_of_public_data_sets_give_nothing_away(path: str) -> None:
    assert traces_in_name(PurePosixPath(path)) == []
