# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Real clips in the form of a study, and datalists that do not suit one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from downstream.clips import check_datalist, prepare_clips, read_real, write_clip, write_mask
from downstream.study import Data, StudyError
from monai_feat.data import (
    ClipItem,
    Datalist,
    DatalistError,
    VideoReadError,
    load_clip,
    read_datalist,
    write_datalist,
    write_phantoms,
)

from .conftest import make_study


def clip(folder: Path, name: str, size: int = 32, label_size: int = 32, **options: object) -> ClipItem:
    image, label = torch.full((1, 2, size, size), 9, dtype=torch.uint8), torch.zeros(1, 2, label_size, label_size)
    item = ClipItem(folder, **{"group": name, "fold": 0, **options})  # type: ignore[arg-type]
    return write_clip(item, image, label.to(torch.uint8), folder / name, 10)


def test_pixels_and_masks_come_back(tmp_path: Path) -> None:
    image = torch.randint(0, 256, (3, 2, 32, 32), dtype=torch.uint8)
    label = torch.randint(0, 2, (1, 2, 32, 32), dtype=torch.uint8)
    item = write_clip(ClipItem(tmp_path, group="p"), image, label, tmp_path / "a" / "x", 0)
    assert item.label is not None
    assert torch.equal(load_clip(item.image).as_tensor(), image)
    assert torch.equal(load_clip(item.label).as_tensor(), label)
    assert torch.equal(load_clip(write_mask(label, tmp_path / "m.nii.gz")).as_tensor(), label)


def test_phantoms_become_clips_of_one_form(tmp_path: Path) -> None:
    data = make_study().data
    prepared = prepare_clips(data, tmp_path, seed=0, progress=False)
    assert read_datalist(tmp_path / "datalist.json") == prepared
    assert len({item.group for item in prepared.training}) == 8
    shapes = {tuple(load_clip(item.image).shape) for item in prepared.training}
    assert shapes == {(1, 2, 32, 32)}
    assert prepared.training[3].image.name.startswith("0003_clip_00")
    again = prepare_clips(data, tmp_path, seed=0, progress=False)
    assert again == prepared


def test_the_held_out_test_is_not_touched(tmp_path: Path) -> None:
    source = write_phantoms("ultrasound", tmp_path / "raw", 8, 4, 32, 3, 2, test_share=0.25, progress=False)
    data = Data("ultrasound", datalist=tmp_path / "raw" / "datalist.json", frame_size=32, num_frames=2)
    for item in source.testing:
        item.image.unlink()
    prepared = prepare_clips(data, tmp_path / "clips", seed=0, progress=False)
    assert not prepared.testing
    assert {item.group for item in prepared.training} == {item.group for item in source.training}
    assert [item.fold for item in prepared.training] == [item.fold for item in source.training]


def test_a_clip_without_a_mask_has_no_label(tmp_path: Path) -> None:
    items = (clip(tmp_path, "a"), ClipItem(clip(tmp_path, "b").image, None, "b", fold=1))
    write_datalist(Datalist(items), tmp_path / "datalist.json")
    data = Data("ultrasound", datalist=tmp_path / "datalist.json", frame_size=32, num_frames=2)
    with pytest.warns(UserWarning, match="1 of 2 clips have no mask"):
        prepared = prepare_clips(data, tmp_path / "clips", seed=0, progress=False)
    assert [item.label is None for item in prepared.training] == [False, True]


def test_a_mask_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    write_datalist(Datalist((clip(tmp_path, "a"), clip(tmp_path, "b", label_size=48))), tmp_path / "datalist.json")
    with pytest.raises(VideoReadError, match=r"b_label.nii.gz.*48 x 48.*b.nii.gz has 2 frames of 32 x 32"):
        check_datalist(Data("ultrasound", datalist=tmp_path / "datalist.json", num_frames=2))


def test_a_clip_that_is_too_short_is_refused_before_any_is_read(tmp_path: Path) -> None:
    write_datalist(Datalist((clip(tmp_path, "a"),)), tmp_path / "datalist.json")
    with pytest.raises(VideoReadError, match=r"a.nii.gz.*has 2 frames; 3 are needed"):
        check_datalist(Data("ultrasound", datalist=tmp_path / "datalist.json", num_frames=3))


def test_a_patient_on_two_sides_is_refused_by_name(tmp_path: Path) -> None:
    items = [{"image": f"{name}.nii.gz", "fold": fold, "group": 1} for fold, name in enumerate("ab")]
    file = tmp_path / "datalist.json"
    file.write_text(json.dumps({"training": items, "testing": [], "groups": {"1": "anna"}}))
    with pytest.raises(DatalistError, match="group 'anna' is on fold 0 and fold 1"):
        read_real(file)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"group": ""}, "a.nii.gz have no group, expected the patient"),
        ({"flags": {"synthetic": 1}}, "a.nii.gz are synthetic, expected real clips only"),
    ],
)
def test_clips_that_do_not_suit_a_study_are_named(tmp_path: Path, options: dict[str, object], complaint: str) -> None:
    write_datalist(Datalist((clip(tmp_path, "a", **options),)), tmp_path / "datalist.json")
    with pytest.raises(StudyError, match=complaint):
        read_real(tmp_path / "datalist.json")
