# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from monai_feat.data import PHANTOMS, endoscopy_phantom, get_phantom, open_clip, read_video, ultrasound_phantom
from monai_feat.data.datalist import ClipItem, read_datalist
from monai_feat.data.phantoms import PhantomClip, collection
from monai_feat.data.phantoms.classes import PHANTOM_CLASSES, phantom_class
from monai_feat.data.phantoms.collection import write_phantoms


def write(folder: Path, kind: str = "ultrasound", num_clips: int = 6, seed: int = 1) -> Path:
    write_phantoms(kind, folder, num_clips, 3, 32, 4, num_folds=2, test_share=0.3, seed=seed, progress=False)
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "attributes.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", sorted(PHANTOMS))
def test_what_is_written_is_what_was_rendered(kind: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "set", kind)
    datalist = read_datalist(folder / "datalist.json")
    table = {row["image"]: row for row in rows(folder)}
    assert len(datalist.sides) == len(table) == 6
    seeds = [[int(np.random.SeedSequence([1, s, i]).generate_state(1, np.uint64)[0]) for i in range(6)] for s in (0, 1)]
    for i in range(6):
        clip = get_phantom(kind)(seeds[1][i], 32, 4, patient_seed=seeds[0][i % 3])
        row = table[f"clips/patient_{i % 3:03d}/clip_{i:04d}.mp4"]
        mask = np.asarray(nib.load(folder / row["mask"]).dataobj)  # (W, H, 1, T)
        assert np.array_equal(mask[:, :, 0].transpose(2, 1, 0), clip.mask[0].numpy())
        assert torch.equal(open_clip(folder / row["mask"]).read(), clip.mask)
        shown = read_video(folder / row["image"]).float()
        assert (shown.mean(0) - clip.image.float().mean(0)).abs().mean() < 3
        assert {name: float(row[name]) for name in clip.attributes} == clip.attributes
        assert row["class"] == phantom_class(kind, clip.attributes)
        assert row["class"] in PHANTOM_CLASSES[kind]


def test_the_set_is_deterministic_and_grows_without_change(tmp_path: Path) -> None:
    first, longer = write(tmp_path / "a"), write(tmp_path / "b", num_clips=7)
    assert rows(longer)[:6] == rows(first)
    for name in ("clips/patient_001/clip_0004.mp4", "masks/patient_001/clip_0004.nii.gz"):
        assert (first / name).read_bytes() == (longer / name).read_bytes()
    assert rows(write(tmp_path / "c", seed=2))[0]["phase"] != rows(first)[0]["phase"]


def test_clips_of_a_patient_share_what_is_the_patients() -> None:
    first, second = (ultrasound_phantom(seed, 32, 4, patient_seed=9).attributes for seed in (1, 2))
    stranger = ultrasound_phantom(1, 32, 4, patient_seed=8).attributes
    for name in ("ejection_fraction", "end_diastolic_volume_ml"):
        assert first[name] == second[name] != stranger[name]
    for name in ("phase", "heart_rate_bpm"):
        assert first[name] == stranger[name] != second[name]
    colons = [endoscopy_phantom(seed, 32, 4, patient_seed=9).attributes for seed in (1, 2)]
    assert colons[0]["polyp_diameter_mm"] == colons[1]["polyp_diameter_mm"]
    assert colons[0]["speed_mm_per_s"] / colons[0]["tunnel_radius_mm"] != (
        colons[1]["speed_mm_per_s"] / colons[1]["tunnel_radius_mm"]
    )


@pytest.mark.parametrize("kind", sorted(PHANTOMS))
def test_a_patient_of_the_same_seed_changes_nothing(kind: str) -> None:
    phantom = get_phantom(kind)
    assert torch.equal(phantom(4, 32, 3).image, phantom(4, 32, 3, patient_seed=4).image)
    with pytest.raises(ValueError, match="seed must be a non-negative integer, got -1"):
        phantom(4, 32, 3, patient_seed=-1)


def test_impossible_requests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an even size"):
        write_phantoms("ultrasound", tmp_path / "odd", 4, 2, size=33)
    with pytest.raises(ValueError, match="num_patients <= num_clips"):
        write_phantoms("ultrasound", tmp_path / "few", 2, 3)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(FileExistsError, match="is not empty"):
        write_phantoms("ultrasound", tmp_path / "full", 4, 2, num_folds=1)


def test_folds_are_checked_before_anything_is_rendered(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most 2 folds"):
        write_phantoms("ultrasound", tmp_path / "set", 4, 2, num_folds=3, test_share=0, progress=False)
    assert not (tmp_path / "set").exists()


def test_a_stopped_set_goes_on_and_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = dict(num_clips=4, num_patients=4, size=32, num_frames=2, num_folds=2, test_share=0.25, progress=False)
    write_phantoms("endoscopy", tmp_path / "whole", **options)
    rendered: list[str] = []
    original = collection._write_clip

    def stop_at_third(clip: PhantomClip, folder: Path, patient: str, name: str, category: str) -> ClipItem:
        if len(rendered) == 2:
            raise KeyboardInterrupt
        rendered.append(name)
        return original(clip, folder, patient, name, category)

    monkeypatch.setattr(collection, "_write_clip", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        write_phantoms("endoscopy", tmp_path / "set", **options)
    with pytest.raises(FileExistsError, match="was begun with other arguments"):
        write_phantoms("endoscopy", tmp_path / "set", **{**options, "seed": 5})
    rendered.clear()
    rendered.append("the two that are left")
    monkeypatch.setattr(collection, "_write_clip", lambda *given: rendered.append(given[3]) or original(*given))
    write_phantoms("endoscopy", tmp_path / "set", **options)
    assert rendered[1:] == ["clip_0002", "clip_0003"]
    files = [
        sorted(p.relative_to(tmp_path / n).as_posix() for p in (tmp_path / n).rglob("*")) for n in ("whole", "set")
    ]
    assert files[0] == files[1]
    for name in ("attributes.csv", "datalist.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "set" / name).read_bytes()
    with pytest.raises(FileExistsError, match="is not empty"):
        write_phantoms("endoscopy", tmp_path / "set", **options)


@pytest.mark.parametrize(("patients", "folds", "held_out"), [(1, 1, 0), (2, 2, 0), (4, 4, 0), (5, 4, 1), (10, 5, 2)])
def test_few_patients_are_folded_as_they_can_be(tmp_path: Path, patients: int, folds: int, held_out: int) -> None:
    datalist = write_phantoms("ultrasound", tmp_path / "set", patients, patients, 32, 1, progress=False)
    assert len({item.fold for item in datalist.training}) == folds
    assert len({item.group for item in datalist.testing}) == held_out
