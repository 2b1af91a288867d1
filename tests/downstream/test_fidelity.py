# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation of synthetic clips, run as a command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from downstream import fidelity
from downstream.clips import prepare_clips
from downstream.fidelity import measure_fidelity
from downstream.study import Data, Phantoms, StudyError
from monai_feat.data import Datalist, write_datalist

DATA = Data("ultrasound", phantoms=Phantoms("ultrasound", 12, 12, num_folds=3), frame_size=32, num_frames=4)


def test_numbers_and_the_gate_come_back(tmp_path: Path) -> None:
    items = prepare_clips(DATA, tmp_path / "clips", seed=0, progress=False).training
    files = [tmp_path / f"{name}.json" for name in ("real", "fake", "held_out")]
    for fold, file in enumerate(files):
        write_datalist(Datalist(tuple(item for item in items if item.fold == fold)), file)
    found = measure_fidelity(*files, DATA, tmp_path)
    assert set(found) == {"command", "gate_passed", "report"}
    assert "scores" in json.dumps(list(json.loads(Path(found["report"]).read_text())))
    assert found["gate_passed"] is False  # four patients cannot calibrate it


@pytest.mark.parametrize("code", [1, 2])
def test_what_could_not_be_measured_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def broken(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, "", "evaluation: no clips")

    monkeypatch.setattr(fidelity.subprocess, "run", broken)
    with pytest.raises(StudyError, match=f"-m evaluation real.json .* ended with {code}: evaluation: no clips"):
        measure_fidelity(Path("real.json"), Path("fake.json"), Path("held.json"), DATA, tmp_path)
