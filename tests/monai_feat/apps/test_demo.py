# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo: what it prints, what it leaves behind, and how it refuses."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import torch
from PIL import Image

from monai_feat.apps import demo
from monai_feat.data import PHANTOMS, read_video


def test_stills_are_clips_of_one_frame(tmp_path: Path) -> None:
    stills, out = tmp_path / "stills", tmp_path / "results"
    for number in range(3):
        image = PHANTOMS["endoscopy"](number, size=64, num_frames=1).image[:, 0]
        (stills / "images").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(stills / "images" / f"{'abc'[number]} polyp.png")
    assert demo.main(["--data", str(stills), "--minutes", "0.003", "--out", str(out)]) == 0
    assert read_video(out / "after" / "clip_000000.mp4").shape == (3, 1, 64, 64)


def test_whole_demo_leaves_what_it_promises(
    clips: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results"
    assert demo.main(["--data", str(clips["ultrasound"]), "--minutes", "0.003", "--out", str(out)]) == 0
    with Image.open(out / "contact_sheet.png") as sheet:
        assert min(sheet.size) > 500
    assert (out / "loss.png").stat().st_size > 0
    for name in ("before", "after"):
        files = sorted((out / name).glob("clip_*.mp4"))
        assert len(files) == demo.NUM_SHOWN
        assert read_video(files[0]).shape == (3, 16, 64, 64)
    printed = capsys.readouterr().out
    commands = [line for line in printed.splitlines() if line.startswith("$ ") and "-m monai.bundle run" in line]
    assert len(commands) == 4
    assert shlex.quote(str(clips["ultrasound"])) in printed
    assert str(out / "contact_sheet.png") in printed


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("no clip")
    assert demo.main(["--data", str(tmp_path)]) == 2
    assert "no clips" in capsys.readouterr().err
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    assert demo.main(["--data", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "none of the 1 clips can be read" in error
    assert torch.is_grad_enabled()
