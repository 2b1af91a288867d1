# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from monai_feat.data import PhantomDataset, write_gif, write_mp4
from monai_feat.data.datalist import ClipItem, Datalist
from monai_feat.doctor import examination
from monai_feat.doctor.diagnosis import KINDS, ClipExam, Diagnosis, Finding
from monai_feat.doctor.examination import examine
from monai_feat.doctor.page import render_page


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> tuple[Datalist, Diagnosis]:
    """A datalist in which everything is planted that the doctor seeks, each once, but for text and DICOM."""
    folder = tmp_path_factory.mktemp("ill")
    dataset = PhantomDataset("endoscopy", 6, seed=3, size=48, num_frames=16)
    clips = [dataset.clip(i).image for i in range(6)]
    for i in range(3):
        write_mp4(clips[i], folder / f"{i}.mp4", 25)
    write_mp4(clips[0].flip(-1), folder / "mirrored.mp4", 25, crf=30)
    write_mp4(clips[1], folder / "again.mp4", 25)
    write_mp4(torch.cat([clips[3][:, :9], clips[4][:, 9:]], dim=1), folder / "cut.mp4", 25)
    write_mp4(clips[4][:, :1].expand(-1, 6, -1, -1), folder / "static.mp4", 25)
    write_gif(clips[5], folder / "slow.gif", 4)
    (folder / "truncated.mp4").write_bytes((folder / "0.mp4").read_bytes()[:900])
    mask = nib.Nifti1Image(np.zeros((48, 40, 16), dtype=np.uint8), np.eye(4))
    nib.save(mask, folder / "mask.nii.gz")
    training = (
        ClipItem(folder / "0.mp4", folder / "mask.nii.gz", "p0", fold=0),
        ClipItem(folder / "1.mp4", group="p1", fold=1),
        ClipItem(folder / "again.mp4", group="p1", fold=1),
        ClipItem(folder / "2.mp4", group="torn", fold=0),
        ClipItem(folder / "cut.mp4", group="torn", fold=1),
        ClipItem(folder / "static.mp4", group="p4", fold=0),
        ClipItem(folder / "slow.gif", fold=0),
        ClipItem(folder / "truncated.mp4", group="p5", fold=0),
    )
    datalist = Datalist(training, (ClipItem(folder / "mirrored.mp4", group="p6"),))
    return datalist, examine(datalist, progress=False)


def names(diagnosis: Diagnosis, finding: Finding) -> set[str]:
    return {Path(diagnosis.clips[i].name).name for i in finding.clips}


@pytest.mark.parametrize(
    ("kind", "files", "message"),
    [
        ("unreadable", {"truncated.mp4"}, "truncated|damaged"),
        ("mask", {"0.mp4"}, "has 16 frames of 40 x 48 pixels .*; the clip has 16 of 48 x 48"),
        ("group_on_two_sides", {"2.mp4", "cut.mp4"}, "group 'torn' is on fold 0 and fold 1"),
        ("duplicate_across_sides", {"0.mp4", "mirrored.mp4"}, "on fold 0 and testing"),
        ("duplicate_within_side", {"1.mp4", "again.mp4"}, r"[0-4]\.\d% of the hash bits differ; both on fold 1"),
        ("cut", {"cut.mp4"}, r"jumps at frame 9 \(0.4 s\)"),
        ("static", {"static.mp4"}, "none of 6 frames differs"),
        ("frame_rate", {"slow.gif"}, "4 Hz; half of the clips have 25 Hz"),
        ("no_group", {"slow.gif"}, "1 clips name no group: 1 on fold 0"),
    ],
)
def test_each_planted_thing_is_found_once(
    ill: tuple[Datalist, Diagnosis], kind: str, files: set[str], message: str
) -> None:
    _, diagnosis = ill
    found = [finding for finding in diagnosis.findings if finding.kind == kind]
    assert [names(diagnosis, finding) for finding in found] == [files]
    assert found[0].severity == KINDS[kind][0]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found[0].message)


def test_nothing_else_is_found(ill: tuple[Datalist, Diagnosis]) -> None:
    _, diagnosis = ill
    others = [finding.message for finding in diagnosis.findings if finding.kind != "unseen"]
    assert len(others) == 9
    assert diagnosis.unseen == {"pixels, which cannot be read": 1, "its metadata (InvalidDataError)": 1}
    assert (diagnosis.count("error"), diagnosis.count("warning")) == (4, 7)


def test_the_report_says_what_was_looked_at_and_promises_nothing(ill: tuple[Datalist, Diagnosis]) -> None:
    _, diagnosis = ill
    text = json.dumps(diagnosis.to_json()).lower()
    page = render_page(diagnosis, "a list").lower().split("<body>")[1]  # the head says "unsafe-inline"
    for forbidden in ("identified", "anonym", "clean", "safe"):
        assert forbidden not in text.replace("identifiers", "")
        assert forbidden not in page.replace("identifiers", "")
    assert "8 of 9 could be opened" in diagnosis.looked_at["clips"]
    assert diagnosis.looked_at["frames"].startswith("118 of 118 were decoded")


def test_a_sound_list_gives_no_finding(tmp_path: Path) -> None:
    dataset = PhantomDataset("ultrasound", 3, seed=1, size=48, num_frames=10)
    for i in range(3):
        write_mp4(dataset.clip(i).image, tmp_path / f"{i}.mp4", 16)
    sound = Datalist(tuple(ClipItem(tmp_path / f"{i}.mp4", group=f"p{i}", fold=i) for i in range(3)))
    diagnosis = examine(sound, max_frames=6, progress=False)
    assert [(finding.kind, finding.message) for finding in diagnosis.findings] == [
        ("unseen", "frames beyond the first 6: not looked at in 3 of 3 clips")
    ]
    assert diagnosis.looked_at["frames"].startswith("18 of 30 were decoded")


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="expected clips, max_frames >= 1 and a threshold"):
        examine(Datalist(()))


@pytest.mark.parametrize(("rates", "said"), [((25.0, 30.0, 39.0), []), ((18.0, 25.0, 39.0), ["from 18 to 39 Hz"])])
def test_rates_that_go_far_apart_are_said_once(rates: tuple[float, ...], said: list[str]) -> None:
    clips = [ClipExam(f"{rate}.mp4", "fold 0", "p", frames=9, frame_rate=rate) for rate in rates]
    found = [finding.message for finding in examination._odd_rates(clips)]
    assert len(found) == len(said)
    assert all(words in message for words, message in zip(said, found, strict=True))
