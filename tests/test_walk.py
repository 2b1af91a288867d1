# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Walks the way of the README, from a folder of clips in mixed formats to a verdict, with the README's own commands.

The clips are small and the budgets tiny: what is tested is that no command refuses what the one before it has left.
"""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

import pytest
import torch
from PIL import Image

from monai_feat.apps import recipe
from monai_feat.apps.commands import COMMANDS, main
from monai_feat.data import PHANTOMS, NiftiClipWriter, write_gif, write_mp4
from monai_feat.files import read_json
from monai_feat.handlers import time_budget

ROOT = Path(__file__).resolve().parents[1]
WALK = re.compile(r"^<!-- not run: tests/test_walk\.py [^\n]*-->\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUM_PATIENTS = 5
STUDY = """
title: short
data: {modality: endoscopy, datalist: x.json, frame_size: 32, num_frames: 1}
generator: {kind: copies}
arms: [real, real + copies]
folds: [0]
seeds: [0]
training: {steps: 2, batch_size: 2, val_interval: 1}
"""
SETTINGS = {"MINUTES": "0.01", "SAMPLES": "4", "STUDY": "short.yaml"}


def walk() -> str:
    (code,) = WALK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    return str(code)


def write_nifti(clip: torch.Tensor, path: Path, frame_rate: float) -> None:
    writer = NiftiClipWriter()
    writer.set_data_array(clip)
    writer.set_metadata({"frame_rate": frame_rate})
    writer.write(path)


def write_folders(folder: Path) -> None:
    """Clips of four formats, a folder for each patient, and stills with masks."""
    formats = (("mp4", write_mp4), ("gif", write_gif), ("nii.gz", write_nifti), ("avi", write_mp4))
    for patient in range(NUM_PATIENTS):
        ending, write = formats[patient % len(formats)]
        clip = PHANTOMS["ultrasound"](patient, size=64, num_frames=17)
        (inside := folder / "clips" / f"patient {patient}").mkdir(parents=True)
        write(clip.image, inside / f"a.{ending}", 20.0 + patient)  # type: ignore[operator]
    for part in ("images", "masks"):
        (folder / "stills" / part).mkdir(parents=True)
    for number in range(12):
        still = PHANTOMS["endoscopy"](number, size=64, num_frames=1)
        Image.fromarray(still.image[:, 0].permute(1, 2, 0).numpy()).save(folder / f"stills/images/{number}.jpg")
        Image.fromarray(still.mask[0, 0].numpy() * 255).save(folder / f"stills/masks/{number}.png")


def commands() -> list[tuple[list[str], int]]:
    """The words of each command, as a shell would pass them, and the exit code that its line lets pass beside 0."""
    filled = re.sub(r"\$\{(\w+):-\w+\}", lambda match: SETTINGS[match[1]], walk())
    lines = [line.partition(" || test $? -eq ") for line in filled.strip().splitlines()]
    return [(shlex.split(command), int(code or 0)) for command, _, code in lines]


def test_the_way_has_ten_commands_that_there_are() -> None:
    assert len(commands()) == 10
    assert all(words[0] == "monai-feat" and words[1] in COMMANDS for words, _ in commands())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_no_command_of_the_way_refuses_what_the_one_before_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one process: the imports alone take seconds, and are the same for each command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recipe, "FEWEST_CLIPS", 4)
    monkeypatch.setattr(time_budget, "_LOOK", math.inf)  # the budgets are shorter than any reading
    write_folders(tmp_path)
    Path("short.yaml").write_text(STUDY)
    for words, allowed in commands():
        code = main(words[1:])
        printed = capsys.readouterr()
        assert code in (0, allowed), f"{shlex.join(words)}: {code}\n{printed.out[-2000:]}\n{printed.err[-2000:]}"
        if words[1] != "study":
            assert "\nNext: monai-feat " in printed.out
    report = read_json("walk/run/report/report.json")
    assert report["protocol"]["num_fake"] == 4
    assert report["sources"]["held_out"]["clips"] == 2
    for page in ("doctor/doctor.html", "run/report/report.html", "study/report/report.html"):
        assert Path("walk", page).stat().st_size > 1000
    for sheet in ("run/autoencoder/reconstructions.png", "run/samples/contact_sheet.png"):
        assert Path("walk", sheet).is_file()
    assert len(list(Path("walk/labelled/samples").glob("*_label.nii.gz"))) == 4
