# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.data.datalist import ClipItem, Datalist
from monai_feat.doctor.diagnosis import IDENTIFYING, Diagnosis
from monai_feat.doctor.examination import examine
from tests.monai_feat.data.folder_search import layouts
from tests.monai_feat.doctor.identifiers import planted


def look(path: Path, root: Path, mask: Path | None = None) -> Diagnosis:
    """Examine one clip beside another, so that paths are told from `root` on."""
    other = layouts.save(root / "other" / "p.png", layouts.picture(8, 96))
    return examine(Datalist((ClipItem(path, mask), ClipItem(other))), progress=False)


def identifying(diagnosis: Diagnosis) -> list[str]:
    return [finding.message for finding in diagnosis.findings if finding.kind in IDENTIFYING]


@pytest.mark.parametrize("name", planted.PLANTED)
def test_every_planted_identifier_is_found_and_none_is_quoted(tmp_path: Path, name: str) -> None:
    diagnosis = look(planted.plant(tmp_path / "in", name), tmp_path)
    assert identifying(diagnosis)
    assert diagnosis.count("error") >= 1
    assert not [
        m for m in identifying(diagnosis) if "mustermann" in m.lower() or "20190304" in m or "elsewhere" in m.lower()
    ]
    assert diagnosis.about_identifiers.startswith("1 of 2 clips hold what may identify somebody. Not looked at: ")


def test_masks_are_looked_at_too(tmp_path: Path) -> None:
    clip = layouts.dicom(tmp_path / "a.dcm").filename
    mask = planted.plant(tmp_path / "masks", "dicom name")
    assert any("mask: PatientName" in message for message in identifying(look(Path(clip), tmp_path, mask)))


def test_plain_files_hold_nothing_and_the_same_breath_says_what_was_not_looked_at(tmp_path: Path) -> None:
    diagnosis = look(layouts.save(tmp_path / "in" / "q.jpg", layouts.picture(1, 96)), tmp_path)
    assert identifying(diagnosis) == []
    assert diagnosis.about_identifiers.startswith("Nothing that identifies was found in 2 clips. Not looked at: faces")
    (tmp_path / "in" / "broken.mp4").write_bytes(b"no video")
    broken = look(tmp_path / "in" / "broken.mp4", tmp_path)
    assert set(broken.unseen) == {"pixels, which cannot be read", "its metadata (InvalidDataError)"}
    assert "pixels, which cannot be read (1 clips)" in broken.about_identifiers
