# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from monai_feat.data.datalist import ClipItem
from monai_feat.doctor.diagnosis import ClipExam
from monai_feat.doctor.identifier_checks import common_folder, look_at_clip_metadata, name_findings, unseen_findings
from tests.monai_feat.data.folder_search import layouts
from tests.monai_feat.doctor.identifiers import planted


def exam_of(name: str) -> ClipExam:
    return ClipExam(name, "training", "")


def test_the_folder_of_all_clips_and_masks(tmp_path: Path) -> None:
    items = [ClipItem(tmp_path / "a/images/1.png", tmp_path / "a/masks/1.png"), ClipItem(tmp_path / "a/images/2.png")]
    assert common_folder(items) == tmp_path / "a"
    assert common_folder(items[1:]) == tmp_path / "a/images"


def test_metadata_of_frames_and_of_masks_are_reported(tmp_path: Path) -> None:
    path = planted.plant(tmp_path / "frames", "jpeg exif")
    path.rename(path.with_name("1.jpg"))
    layouts.frames(tmp_path / "frames", ["2.jpg"])
    mask = planted.plant(tmp_path / "masks", "dicom name")
    told: list[tuple[str, str]] = []
    exam = exam_of("frames")
    look_at_clip_metadata(
        exam, ClipItem(tmp_path / "frames", mask), lambda kind, text, boxes=(): told.append((kind, text))
    )
    assert [kind for kind, _ in told] == ["metadata", "metadata", "uids"]
    assert told[0][1].startswith("EXIF Artist")
    assert told[1][1].startswith("mask: PatientName")
    assert exam.unseen == []


def test_names_and_what_was_not_seen_are_said_of_all_clips_together(tmp_path: Path) -> None:
    exams = [exam_of(name) for name in ("a", "b", "c")]
    items = [ClipItem(tmp_path / name) for name in ("Doe_Jane/a.mp4", "x/b.mp4", "DOE^JIM/c.mp4")]
    (finding,) = name_findings(exams, items, tmp_path)
    assert (finding.kind, finding.clips) == ("file_names", (0, 2))
    assert finding.message.startswith("2 of 3 clips have")
    exams[1].unseen += ["sound", "sound"]
    (unseen,) = unseen_findings(exams)
    assert (unseen.kind, unseen.clips, unseen.message) == ("unseen", (1,), "sound: not looked at in 1 of 3 clips")
