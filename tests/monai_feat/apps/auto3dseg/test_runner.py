# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from monai.apps.auto3dseg import import_bundle_algo_history

from monai_feat.apps.auto3dseg import make_runner
from monai_feat.apps.auto3dseg.__main__ import main
from monai_feat.data import load_clip

ROOT = Path(__file__).resolve().parents[4]
SMALL = {"frame_size": 32, "init_filters": 4, "max_steps": 2, "batch_size": 2, "ema_decay": None, "learning_rate": 1e-5}
OPTIONS = [option for name, value in SMALL.items() for option in ("--set", f"{name}={json.dumps(value)}")]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _python_finds_this_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.slow
def test_auto3dseg_from_datalist_to_ensemble(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blanks in both paths; a second run finds everything done; a moved folder still predicts."""
    monkeypatch.chdir(tmp_path)
    command = [str(phantoms), "--out", "my work", "--modality", "ultrasound", *OPTIONS]
    assert main([*command, "--best", "1"]) == 0
    assert "vidseg_*" in capsys.readouterr().out
    work = tmp_path / "my work"
    masks = sorted((work / "ensemble_output").rglob("*.nii.gz"))
    held_out = json.loads(phantoms.read_text())["testing"]
    assert len(masks) == len(held_out) == 2
    for mask, item in zip(masks, sorted(held_out, key=lambda item: str(item["image"])), strict=True):
        assert mask.name.startswith(Path(item["image"]).stem)
        assert load_clip(mask).shape == load_clip(phantoms.parent / item["label"]).shape

    weights = {file: file.stat().st_mtime_ns for file in work.rglob("*.safetensors")}
    assert len(weights) == 2
    assert main(command) == 0
    assert {file: file.stat().st_mtime_ns for file in work.rglob("*.safetensors")} == weights

    work.rename(tmp_path / "elsewhere")
    history = import_bundle_algo_history(str(tmp_path / "elsewhere"))
    (probabilities,) = history[0]["algo_instance"].predict([str(phantoms.parent / held_out[0]["image"])])
    assert probabilities.shape == (2, 8, 32, 32)


@pytest.mark.slow
def test_what_cannot_be_trained_says_why(phantoms: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = json.loads(phantoms.read_text())
    content["training"].append({"image": content["testing"][0]["image"]})  # from it nothing is learnt without a teacher
    (tmp_path / "datalist.json").write_text(json.dumps(content))
    command = [str(tmp_path / "datalist.json"), "--out", str(tmp_path / "work"), "--dataroot", str(phantoms.parent)]
    assert main([*command, *OPTIONS]) == 2
    complaints = capfd.readouterr().err
    assert "vidseg_0: unlabelled items need a teacher: set ema_decay, such as 0.99" in complaints
    assert f"auto3dseg: {tmp_path}/work/vidseg_0: was not trained (exit code 1); see above" in complaints


def test_a_datalist_without_folds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "datalist.json").write_text('{"training": [{"image": "a.mp4", "label": "a.png"}]}')
    with pytest.raises(ValueError, match=r'with a "fold" in its items'):
        make_runner(tmp_path / "datalist.json", tmp_path / "work")
