# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import torch

from evaluation.memorisation.calibration import groups_needed
from monai_feat.apps.commands import COMMANDS
from monai_feat.apps.next_step import (
    GATE_PATIENTS,
    doctor_command,
    evaluate_command,
    gate_note,
    next_step,
    sample_command,
    study_command,
    train_command,
)
from monai_feat.data import ClipItem, build_datalist, write_datalist, write_mp4


@pytest.fixture
def datalist(tmp_path: Path) -> str:
    """A datalist with one patient held out, in a folder whose name a shell would take apart."""
    folder = tmp_path / "my $clips"
    folder.mkdir()
    items = [ClipItem(folder / f"{patient}.mp4", group=patient) for patient in "abc"]
    for item in items:
        write_mp4(torch.zeros(1, 4, 16, 16, dtype=torch.uint8), item.image, 10.0)
    write_datalist(build_datalist(items, num_folds=2, test_groups=["b"]), folder / "list.json")
    return str(folder / "list.json")


def test_each_command_is_whole_and_hands_on_its_paths(datalist: str) -> None:
    folder = str(Path(datalist).parent)
    run, samples = f"{folder}/run", f"{folder}/run/samples"
    commands = {
        doctor_command(datalist): ["doctor", datalist, "--out", f"{folder}/doctor"],
        train_command(datalist): ["train", datalist, "--minutes", "60", "--out", run],
        sample_command(run): ["sample", run, "--num-clips", "64", "--out", samples],
        evaluate_command(datalist, samples): [
            *["evaluate", datalist, samples, "--held-out", f"{datalist}:testing", "--gate", "--out", f"{run}/report"]
        ],
        study_command(datalist, "ultrasound"): ["study", "ultrasound", "--out", "study"],
    }
    for written, words in commands.items():
        assert shlex.split(written) == ["monai-feat", *words]
        assert words[0] in COMMANDS


def test_a_source_that_holds_nobody_out_is_scored_without_gate() -> None:
    assert evaluate_command("clips", "samples") == "monai-feat evaluate clips samples --out report"
    assert "phantom:ultrasound:1 samples --held-out phantom:ultrasound:2" in evaluate_command(
        "phantom:ultrasound", "samples"
    )


def test_what_was_written_comes_before_what_to_do_next() -> None:
    assert next_step(["a", Path("b")], "monai-feat --help") == "Wrote a\nWrote b\nNext: monai-feat --help"


def test_the_gate_is_promised_only_where_it_can_pass() -> None:
    assert groups_needed(0.05) == GATE_PATIENTS
    assert "enough" in gate_note(GATE_PATIENTS)
    assert "cannot judge" in gate_note(GATE_PATIENTS - 1)
