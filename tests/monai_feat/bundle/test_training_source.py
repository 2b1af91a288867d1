# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.bundle import save_training_source, training_source


def test_weights_remember_what_trained_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my clips").mkdir()
    (tmp_path / "list.json").write_text("{}")
    weights = tmp_path / "run" / "feat.safetensors"
    assert training_source(weights, "phantom:ultrasound") == "phantom:ultrasound"
    for source, kept in (
        ("my clips", str(tmp_path / "my clips")),
        ("list.json:fold0", str(tmp_path / "list.json:fold0")),
        ("phantom:endoscopy:3", "phantom:endoscopy:3"),
    ):
        save_training_source(tmp_path / "run", source)
        assert training_source(weights, "phantom:ultrasound") == kept


def test_clips_that_were_moved_away_stop_nothing(tmp_path: Path) -> None:
    save_training_source(tmp_path, tmp_path / "gone")
    assert training_source(tmp_path / "feat.safetensors", "phantom:ultrasound") == "phantom:ultrasound"


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "training_source.json").write_text('{"data": 1}')
    with pytest.raises(ValueError, match=r"training_source\.json: expected \{'dataset_dir'"):
        training_source(tmp_path / "feat.safetensors", "")
