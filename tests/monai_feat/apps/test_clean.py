# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from monai_feat.apps.clean import main
from monai_feat.apps.doctor import main as doctor
from monai_feat.data.datalist import read_datalist
from tests.monai_feat.data.folder_search import layouts
from tests.monai_feat.doctor.identifiers import planted


def everything(folder: Path) -> bytes:
    """Names and bytes of all files, to look for what must not be there."""
    files = [Path(where) / name for where, _, names in os.walk(folder) for name in names]
    return b"".join(os.fsencode(file) + file.read_bytes() for file in files)


@pytest.mark.parametrize("name", planted.PLANTED)
def test_nothing_planted_is_left_in_the_copies(tmp_path: Path, name: str) -> None:
    planted.plant(tmp_path / "in", name)
    layouts.save(tmp_path / "in" / "other" / "p.png", layouts.picture(8, 96))
    assert doctor([str(tmp_path / "in"), "--out", str(tmp_path / "before"), "--quiet", "--text-detector", "own"]) == 1
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--quiet", "--text-detector", "own"]) == 0
    report = json.loads((tmp_path / "out" / "report" / "doctor.json").read_text())
    assert report["errors"] == 0
    assert len(read_datalist(tmp_path / "out" / "datalist.json").training) == 2
    written = everything(tmp_path / "out").lower()
    for word in (b"mustermann", b"erika", b"elsewhere", b"20190304", os.fsencode(tmp_path / "in")):
        assert word not in written.replace(os.fsencode(tmp_path), b"")


def test_the_key_lies_apart_and_gives_the_same_names_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = planted.plant(tmp_path / "in", "file name")
    layouts.save(tmp_path / "in" / "other" / "p.png", layouts.picture(8, 96))
    for out in ("a", "b"):
        arguments = [str(tmp_path / "in"), "--out", str(tmp_path / out), "--key", str(tmp_path / "k.json"), "--quiet"]
        assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "The doctor's second look: Nothing that identifies was found in 2 clips. Not looked at:" in said
    assert "de-identified" not in said
    first, second = ([path.name for path in sorted((tmp_path / out / "clips").iterdir())] for out in "ab")
    assert first == second
    assert source.name in json.loads((tmp_path / "k.json").read_text())["names"].values()
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "c"), "--key", str(tmp_path / "c" / "k.json")]) == 2
    assert "must not lie among the copies" in capsys.readouterr().err
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "a")]) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err


def test_a_clip_that_cannot_be_copied_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.mp4").write_bytes(b"no video")
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    layouts.save(tmp_path / "in" / "p.png", layouts.picture(8, 96))
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--quiet"]) == 1
    assert "not copied" in capsys.readouterr().err
