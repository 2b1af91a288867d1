# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.apps.phantoms import main
from monai_feat.data import probe_video


def test_one_command_writes_the_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = ["--num-clips", "4", "--patients", "4", "--size", "32,48", "--num-frames", "3", "--folds", "2"]
    out = tmp_path / "set"
    assert main(["--kind", "endoscopy", "--out", str(out), "--test-share", "0.3", *numbers]) == 0
    assert {path.name for path in out.iterdir()} == {"clips", "masks", "attributes.csv", "datalist.json"}
    info = probe_video(out / "clips" / "patient_002" / "clip_0002.mp4")
    assert (info.frames, info.height, info.width) == (3, 32, 48)
    assert "held out" in capsys.readouterr().out
    assert main(["--kind", "endoscopy", "--out", str(out), "--quiet", *numbers]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_an_unknown_kind_lists_the_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--kind", "mri", "--out", str(tmp_path)])
    complaint = capsys.readouterr().err
    assert "endoscopy" in complaint
    assert "ultrasound" in complaint
