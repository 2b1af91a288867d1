# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The algorithm by itself: the settings it writes, and the commands it runs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from monai_feat.apps.auto3dseg import ClipStats, template_folder, write_stats
from monai_feat.apps.auto3dseg.templates.vidseg.scripts.algo import VidsegAlgo


@pytest.fixture
def algo(tmp_path: Path, phantoms: Path, monkeypatch: pytest.MonkeyPatch) -> VidsegAlgo:
    """Of fold 1, in a folder with blanks."""
    monkeypatch.delenv("CMD_PREFIX", raising=False)
    write_stats(ClipStats(4, 3, 3, rows=90, columns=70, frames=8), tmp_path / "datastats.yaml")
    source = {"modality": "x", "datalist": str(phantoms), "dataroot": str(phantoms.parent)}
    (tmp_path / "input.yaml").write_text(yaml.safe_dump(source))
    made = VidsegAlgo(str(template_folder()))
    made.name = "vidseg"
    made.set_data_stats(str(tmp_path / "datastats.yaml"))
    made.set_data_source(str(tmp_path / "input.yaml"))
    made.export_to_disk(str(tmp_path / "my work"), "vidseg_1", fold=1)
    return made


def script(algo: VidsegAlgo, content: str) -> None:
    (Path(algo.output_path) / "scripts" / "train.py").write_text(content)


def test_the_template_is_filled_in_by_the_data(algo: VidsegAlgo, phantoms: Path) -> None:
    template = yaml.safe_load((template_folder() / "vidseg" / "configs" / "hyper_parameters.yaml").read_text())
    written = yaml.safe_load((Path(algo.output_path) / "configs" / "hyper_parameters.yaml").read_text())
    by_the_data = {"num_classes": 3, "image_channels": 3, "frame_size": 64}  # the shorter side, in steps of 32
    places = {"datalist": str(phantoms), "dataroot": str(phantoms.parent), "fold": 1}
    assert written == {**template, **by_the_data, **places}
    assert list(written)[: len(template)] == list(template)
    assert algo.fill_records == {"hyper_parameters.yaml": written}


def test_the_command_survives_blanks_and_has_the_options_of_the_training(algo: VidsegAlgo) -> None:
    command, rest = algo._create_cmd({"max_steps": 7, "network": "clip"})
    train = str(Path(algo.output_path) / "scripts" / "train.py")
    assert " " in train
    assert shlex.split(command) == [sys.executable, train, "--max_steps=7", "--network=clip"]
    assert rest == ""
    algo.device_setting["CMD_PREFIX"] = "nice -n 5 python"
    assert shlex.split(algo._create_cmd()[0]) == ["nice", "-n", "5", "python", train]


def test_training_runs_the_script_on_the_devices_it_was_given(
    algo: VidsegAlgo, capfd: pytest.CaptureFixture[str]
) -> None:
    script(algo, "import os, sys\nprint(sys.argv[1:], os.environ['CUDA_VISIBLE_DEVICES'])")
    done = algo.train({"max_steps": 3}, {"CUDA_VISIBLE_DEVICES": "1,0"})
    assert isinstance(done, subprocess.CompletedProcess)
    assert "['--max_steps=3'] 1,0" in capfd.readouterr().out


def test_a_training_that_fails_is_named_and_its_words_are_seen(
    algo: VidsegAlgo, capfd: pytest.CaptureFixture[str]
) -> None:
    script(algo, "raise SystemExit('no clips at all')")
    with pytest.raises(RuntimeError, match=r"vidseg_1: was not trained \(exit code 1\); see above"):
        algo.train()
    assert "no clips at all" in capfd.readouterr().err
