# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from evaluation.memorisation.casts import RELATIVES, Patients, phantom_cast, read_patients, real_cast
from evaluation.memorisation.planting import MARGIN
from evaluation.memorisation.scenes import Design
from monai_feat.data import write_mp4


def numbered(number: int) -> Tensor:
    return torch.full((1, 24, 16, 16), number, dtype=torch.uint8)


def test_no_patient_plays_two_parts_and_one_recording_is_kept_out_of_training() -> None:
    patients: Patients = {f"p{i}": [[numbered(10 * i + r)] * 2 for r in range(3)] for i in range(6)}
    cast = real_cast(patients, seed=0)
    shown = [{int(clip[0, 0, 0, 0]) for clip in clips} for clips in (cast.train, cast.held_out, cast.clean)]
    relatives = {int(clip[0, 0, 0, 0]) for clip in cast.relatives[RELATIVES[1]]}
    owners = [{number // 10 for number in numbers} for numbers in shown]
    assert sorted(owner for part in owners for owner in part) == list(range(6))
    assert {number // 10 for number in relatives} == owners[0]
    assert not relatives & shown[0]
    assert len(set(cast.groups)) == len(cast.held_out)
    assert cast.held_out[0].shape[1] == 24 - 2 * MARGIN


def test_phantoms_have_the_parts_of_their_design() -> None:
    design = Design("ultrasound", num_train=4, num_held_out=6, num_fake=3, num_frames=2, size=16)
    cast = phantom_cast(design, seed=0)
    assert [len(part) for part in (cast.train, cast.held_out, cast.clean)] == [4, 6, 3]
    assert len(set(cast.groups)) == 3
    assert set(cast.relatives) == set(RELATIVES)


def test_a_table_names_patients_and_too_few_are_refused(tmp_path: Path) -> None:
    for i in range(3):
        write_mp4(torch.full((3, 40, 32, 32), 60 * i, dtype=torch.uint8), tmp_path / f"clip{i}.mp4", frame_rate=10)
    table = tmp_path / "clips.csv"
    table.write_text("file,patient\n" + "".join(f"clip{i}.mp4,p{i}\n" for i in range(3)), encoding="utf-8")
    patients = read_patients(str(table), group="patient")
    assert sorted(patients) == ["p0", "p1", "p2"]
    assert [video.shape for video in patients["p1"][0]] == [(1, 24, 64, 64)] * 3
    with pytest.raises(ValueError, match="2 patients"):
        read_patients(str(table), pattern="clip[01]", group="patient")
