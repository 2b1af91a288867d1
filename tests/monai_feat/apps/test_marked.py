# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.apps.marked import main
from monai_feat.data import write_gif
from monai_feat.marks import make_statement


def test_files_are_told_one_by_one_and_folders_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    write_gif(clip, tmp_path / "made.gif", 8, make_statement())
    assert main([str(tmp_path / "made.gif")]) == 0
    assert "made.gif: synthetic, by monai-feat " in capsys.readouterr().out
    write_gif(clip, tmp_path / "filmed.gif", 8, "filmed on Monday")
    assert main([str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("/")[2].split(",")[0] for line in lines] == ["filmed.gif: no mark", "made.gif: synthetic"]


def test_what_cannot_be_read_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no file there can carry a mark" in capsys.readouterr().err
    assert main([str(tmp_path / "gone.mp4")]) == 2
    assert "gone.mp4: no such file" in capsys.readouterr().err
