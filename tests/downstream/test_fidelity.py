# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation of synthetic clips, run as a command."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from downstream import fidelity
from downstream.clips import prepare_clips
from downstream.fidelity import measure_fidelity
from downstream.study import Data, Phantoms, StudyError
from monai_feat.data import Datalist, load_clip, read_datalist, write_datalist

DATA = Data("ultrasound", phantoms=Phantoms("ultrasound", 12, 12, num_folds=3), frame_size=32, num_frames=4)


def sides(data: Data, folder: Path) -> list[Path]:
    """Datalists of real, fake and held-out clips, a fold each."""
    items = prepare_clips(data, folder / "clips", seed=0, progress=False).training
    files = [folder / f"{name}.json" for name in ("real", "fake", "held_out")]
    for fold, file in enumerate(files):
        write_datalist(Datalist(tuple(item for item in items if item.fold == fold)), file)
    return files


def test_numbers_and_the_gate_come_back(tmp_path: Path) -> None:
    found = measure_fidelity(*sides(DATA, tmp_path), DATA, tmp_path)
    assert set(found) == {"command", "gate_passed", "report"}
    assert "scores" in json.dumps(list(json.loads(Path(found["report"]).read_text())))
    assert found["gate_passed"] is False  # four patients cannot calibrate it


def test_stills_are_shown_for_as_long_as_it_takes(tmp_path: Path) -> None:
    stills = replace(DATA, num_frames=1)
    files = sides(stills, tmp_path)
    found = measure_fidelity(*files, stills, tmp_path)
    assert json.loads(Path(found["report"]).read_text())["protocol"]["num_frames"] == 3
    originals, longer = (read_datalist(file).training for file in (files[1], tmp_path / "longer" / "fake.json"))
    for original, item in zip(originals, longer, strict=True):
        expected = load_clip(original.image).as_tensor().expand(-1, 3, -1, -1)
        torch.testing.assert_close(load_clip(item.image).as_tensor(), expected, rtol=0, atol=0)
        assert (item.group, item.label) == (original.group, None)


@pytest.mark.parametrize("code", [1, 2])
def test_what_could_not_be_measured_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def broken(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, "", "evaluation: no clips")

    monkeypatch.setattr(fidelity.subprocess, "run", broken)
    with pytest.raises(StudyError, match=f"evaluate real.json .* ended with {code}: evaluation: no clips"):
        measure_fidelity(Path("real.json"), Path("fake.json"), Path("held.json"), DATA, tmp_path)
