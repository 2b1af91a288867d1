# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from monai_feat.apps.doctor import main
from monai_feat.data import PhantomDataset, write_mp4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dataset = PhantomDataset("endoscopy", 2, seed=3, size=32, num_frames=8)
    for i in range(2):
        write_mp4(dataset.clip(i).image, tmp_path / f"{i}.mp4", 10)
    return tmp_path


def write_list(folder: Path, *items: dict[str, object]) -> str:
    (folder / "d.json").write_text(json.dumps({"training": list(items), "testing": []}))
    return str(folder / "d.json")


def test_exit_codes_tell_pipelines_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(folder / "report"), "--quiet"]
    clips = [{"image": f"{i}.mp4", "fold": i, "group": i} for i in range(2)]
    assert main([write_list(folder, *clips), *out]) == 0
    clips[1].pop("group")
    assert main([write_list(folder, *clips), *out]) == 0
    assert main([write_list(folder, *clips), *out, "--fail-on", "warning"]) == 1
    clips[1]["group"] = 0
    assert main([write_list(folder, *clips), *out]) == 1
    assert main([str(folder / "nowhere.json"), *out]) == 2
    assert "nowhere.json" in capsys.readouterr().err
    assert main([write_list(folder), *out]) == 2


def test_the_report_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = [{"image": "0.mp4", "fold": 0, "group": 1}, {"image": "gone.mp4", "fold": 0, "group": 2}]
    assert main([write_list(folder, *clips), "--out", str(folder / "deep" / "report")]) == 1
    report = json.loads((folder / "deep" / "report" / "doctor.json").read_text())
    assert [(found["kind"], found["clips"]) for found in report["findings"]] == [
        ("unreadable", ["gone.mp4"]),
        ("unseen", ["gone.mp4"]),
    ]
    assert report["clips"][0]["frames_looked_at"] == 8
    assert "gone.mp4" in (folder / "deep" / "report" / "doctor.html").read_text()
    assert "error        1  Files that are missing" in capsys.readouterr().out


def test_a_folder_is_examined_and_accounted_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes.txt").touch()
    assert main([str(folder), "--out", str(folder / "report")]) == 0
    said = capsys.readouterr().out
    assert "2 clips (2 files). Left out: 1 is a text (notes.txt)" in said
    assert "Nothing that identifies was found in 2 clips. Not looked at: faces and voices" in said
    assert "notes.txt" in json.loads((folder / "report" / "doctor.json").read_text())["folder"]


def test_strict_fails_where_something_was_not_looked_at(folder: Path) -> None:
    arguments = [str(folder), "--out", str(folder / "report"), "--quiet", "--strict"]
    assert main(arguments) == 0
    assert main([*arguments, "--max-frames", "4"]) == 1


def test_reports_hold_no_absolute_path(folder: Path) -> None:
    main([str(folder), "--out", str(folder / "report"), "--quiet"])
    for name in ("doctor.json", "doctor.html"):
        assert str(folder) not in (folder / "report" / name).read_text()


@pytest.mark.parametrize(
    ("name", "kind", "named"),
    [
        ("gl.json", "entry", "groups: expected"),
        ("gd.json", "entry", "groups: 0 stands for"),
        ("gn.json", "entry", "groups: 0 stands for 5"),
        ("nul.json", "unreadable", "null"),
        ("long.json", "unreadable", "too long"),
    ],
)
def test_one_bad_entry_is_a_finding_and_the_rest_is_reported(
    cases: Path, tmp_path: Path, name: str, kind: str, named: str
) -> None:
    shutil.copy(cases / "hostile" / name, tmp_path)
    write_mp4((torch.rand(3, 8, 64, 64) * 255).byte(), tmp_path / "good.mp4", 10)
    assert main([str(tmp_path / name), "--out", str(tmp_path / "out"), "--quiet"]) == 1
    report = json.loads((tmp_path / "out" / "doctor.json").read_text())
    found = [finding for finding in report["findings"] if finding["kind"] == kind]
    assert named in found[0]["message"]
    assert any(clip["frames"] == 8 for clip in report["clips"])


def test_what_readers_do_not_follow_is_a_finding(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for level in range(0, 200, 20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), "rgb24")))
        container.mux(stream.encode(None))
    assert main([write_list(tmp_path, {"image": "a.mkv"}), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    report = json.loads((tmp_path / "out" / "doctor.json").read_text())
    assert [
        "not square (4:3)" in found["message"] for found in report["findings"] if found["kind"] == "not_followed"
    ] == [True]
