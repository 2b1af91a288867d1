# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from experiments import burnt_in_text
from experiments.burnt_in_text import Still, count, darkening, main
from tests.monai_feat.data.folder_search import layouts


def test_a_box_is_compared_with_what_is_around_it() -> None:
    before = torch.full((3, 60, 80), 120, dtype=torch.uint8)
    before[:, 20:30, 20:60] = 250  # the text itself does not count
    after = before.clone()
    after[:, 20:30, 20:60] = torch.tensor([40, 50, 60], dtype=torch.uint8)[:, None, None]
    assert darkening(before, after, (20, 20, 30, 60)) == pytest.approx(70)
    assert darkening(before, before, (20, 20, 30, 60)) == pytest.approx(-130)


def test_stills_are_counted_once_and_a_stopped_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("anna", "bert", "cleo"):
        layouts.save(tmp_path / "stills" / f"{name}.png", layouts.picture(len(name)))
    (tmp_path / "out").mkdir()
    done = Still("anna.png", before=4, removed=2, own=3, rapidocr=0, smears=2)
    (tmp_path / "out/stills.jsonl").write_text(json.dumps(asdict(done)) + "\n")
    monkeypatch.setattr(burnt_in_text, "choose_detector", lambda _choice: "rapidocr")
    monkeypatch.setattr(burnt_in_text, "look_at", lambda path: Still(path.name, 1, 0, 1, 0, 0))
    assert main([str(tmp_path / "stills"), "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    for line in ("at first | 3 of 3", "left by RemoveBurntIn | 1 of 3", "our own detector | 3 of 3", "smears | 1 of 3"):
        assert line in shown
    assert len((tmp_path / "out/stills.jsonl").read_text().splitlines()) == 3
    assert "| text is left by both detectors | 0 of 0 |" in count([])


def test_without_the_judge_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monai_feat.doctor.text_detection.optional_import", lambda _name: (None, False))
    with pytest.raises(ValueError, match="rapidocr is not installed"):
        main([str(tmp_path), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
