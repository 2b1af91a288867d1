# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.apps import compare
from monai_feat.apps.compare import jobs
from monai_feat.files import read_json

STUDY = """
title: Softmax over time in the place of scans
bundle: feat_ultrasound
budget: {steps: 2}
seeds: [3]
samples: 2
common:
  {num_clips: 8, num_val_clips: 5, num_frames: 4, frame_size: 32, num_sampling_steps: 2, network_def::num_layers: 1}
variants:
  published:
  softmax in time: {network_def::time_mixer: softmax}
"""


@pytest.mark.filterwarnings("ignore")
def test_a_small_study_is_trained_measured_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "study.yaml", tmp_path / "out"
    file.write_text(STUDY)
    assert compare.main([str(file), "--out", str(out)]) == 0
    page, report = (out / "report.md").read_text(), read_json(out / "report.json")
    assert "softmax in time: error" in page
    assert "one seed, so nothing can be told" in page
    published, softmax = report["runs"].values()
    assert len(published) == len(softmax) == 1
    assert len(published[0]["by_time"][0]) == 4
    assert softmax[0]["flops"] > published[0]["flops"]  # of which scans do not count
    assert len(softmax[0]["samples"]["space"]) == 4

    monkeypatch.setattr(jobs, "run", lambda **_: pytest.fail("what is done was done again"))
    assert compare.main([str(file), "--out", str(out)]) == 0
    assert read_json(out / "report.json") == report
    file.write_text(STUDY.replace("steps: 2", "cpu_seconds: 0"))
    assert compare.main([str(file), "--out", str(out)]) == 2
    assert "budget: expected one of steps, cpu_seconds, over 0" in capsys.readouterr().err
