# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.apps.copy_bundle import main


def test_without_a_name_the_bundles_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[:-1]] == [
        "feat_endoscopy",
        "feat_ultrasound",
        "video_segmentation",
    ]


def test_a_copy_is_made_where_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["video_segmentation"]) == 0
    assert (tmp_path / "video_segmentation" / "configs" / "inference.json").is_file()
    assert "Next: cd video_segmentation && python -m monai.bundle run" in capsys.readouterr().out
    assert main(["video_segmentation"]) == 2
    assert "video_segmentation exists already; name another folder" in capsys.readouterr().err
