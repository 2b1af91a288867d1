# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.apps import recipe
from monai_feat.apps.train import main
from monai_feat.bundle import training_source
from monai_feat.bundle.output import epoch_of, find_checkpoint
from monai_feat.checkpoints import load_checkpoint


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_both_trainings_leave_weights_for_the_next_command(
    clips: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recipe, "FEWEST_CLIPS", 4)
    out = tmp_path / "my run"
    assert main([str(clips["ultrasound"]), "--minutes", "0.002", "--out", str(out)]) == 0
    for name in ("autoencoder", "feat"):
        assert load_checkpoint(out / name / f"{name}.safetensors")
    printed = capsys.readouterr().out
    assert printed.count("-m monai.bundle run") == 2
    assert f"Next: monai-feat sample '{out}' --num-clips 64 --out '{out}/samples'" in printed
    latest = max((out / "feat" / "samples").glob("epoch_*.png"))  # a quick machine makes several epochs
    for sheet in (out / "autoencoder" / "reconstructions.png", out / "feat" / "loss.png", latest):
        assert f"Wrote {sheet}" in printed
        assert sheet.is_file()
    for name in ("autoencoder", "feat"):
        assert training_source(out / name / f"{name}.safetensors", "") == str(clips["ultrasound"])
    trained = epoch_of(find_checkpoint("last", out / "feat"))
    kept = (out / "autoencoder" / "autoencoder.safetensors").stat().st_mtime_ns
    assert main([str(clips["ultrasound"]), "--minutes", "0.002", "--out", str(out)]) == 0  # goes on
    assert (out / "autoencoder" / "autoencoder.safetensors").stat().st_mtime_ns == kept
    assert epoch_of(find_checkpoint("last", out / "feat")) > trained
    assert main([str(clips["ultrasound"]), "--from-scratch", "--out", str(out)]) == 2
    assert "holds another training (from_scratch was False and is True)" in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["0", "-1", "nan"])
def test_a_time_that_is_none_is_refused(minutes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phantom:ultrasound", "--minutes", minutes, "--out", str(tmp_path)]) == 2
    assert "--minutes is the time to train, and must be over 0" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
