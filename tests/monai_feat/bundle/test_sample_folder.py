# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import ignite.distributed as idist
import nibabel as nib
import numpy as np
import pytest
import torch

from monai_feat.bundle import SampleFolder
from monai_feat.checkpoints import load_checkpoint
from monai_feat.data import load_clip
from monai_feat.transforms import join_labels
from monai_feat.transforms.functional import to_uint8

CLIP = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)


@pytest.mark.parametrize(("file_format", "tolerance"), [("mp4", 3), ("gif", 8), ("nifti", 0)])
def test_a_clip_reads_back(tmp_path: Path, file_format: str, tolerance: int) -> None:
    file = SampleFolder(tmp_path, {}, frame_rate=8, file_format=file_format).write(7, CLIP)
    found = load_clip(file)
    assert found.meta["frame_rate"] == pytest.approx(8, rel=0.05)
    error = (found[:1].as_tensor().float() - to_uint8(CLIP).float()).abs()
    assert error.mean() <= tolerance


def test_nifti_is_what_another_library_reads(tmp_path: Path) -> None:
    file = SampleFolder(tmp_path, {}, frame_rate=8, file_format="nifti").write(0, CLIP)
    pixels = np.asarray(nib.load(file).dataobj)[:, :, 0]  # (W, H, T)
    np.testing.assert_array_equal(pixels.transpose(2, 1, 0), to_uint8(CLIP)[0].numpy())


def test_latents_are_kept_exactly(tmp_path: Path) -> None:
    file = SampleFolder(tmp_path, {}, frame_rate=8, file_format="latents").write(0, 5 * CLIP)
    assert torch.equal(load_checkpoint(file)["latent"], 5 * CLIP)


def test_a_later_run_knows_what_is_there(tmp_path: Path) -> None:
    first = SampleFolder(tmp_path, {"seed": 3, "shape": (4, 2)}, frame_rate=8)
    assert first.finished == set()
    for index in (4, 2):
        first.write(index, CLIP)
    first.save_manifest()
    (tmp_path / "clip_000004.mp4").unlink()
    assert SampleFolder(tmp_path, {"seed": 3, "shape": (4, 2)}, frame_rate=8).finished == {2}
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert list(manifest["clips"]) == ["2", "4"]
    assert manifest["settings"] == {"seed": 3, "shape": [4, 2], "frame_rate": 8, "file_format": "mp4", "marked": True}


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    folder = SampleFolder(tmp_path, {"seed": 3}, frame_rate=8)
    folder.write(0, CLIP)
    folder.save_manifest()
    with pytest.raises(FileExistsError, match=r"seed: 3 there, 4 now\); name another --output_dir"):
        SampleFolder(tmp_path, {"seed": 4}, frame_rate=8)
    with pytest.raises(FileExistsError, match="file_format: mp4 there, gif now"):
        SampleFolder(tmp_path, {"seed": 3}, frame_rate=8, file_format="gif")


def test_an_unknown_format_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a file_format of mp4, gif, nifti, latents; got 'avi'"):
        SampleFolder(tmp_path, {}, frame_rate=8, file_format="avi")


@pytest.mark.parametrize("file_format", ["mp4", "nifti"])
def test_a_mask_lies_beside_its_clip_and_reads_back(tmp_path: Path, file_format: str) -> None:
    label = torch.randint(0, 3, (1, 3, 16, 16), dtype=torch.uint8)
    folder = SampleFolder(tmp_path, {}, frame_rate=8, file_format=file_format, label_channels=3)
    file = folder.write(3, join_labels(CLIP, label, 3))
    found = load_clip(tmp_path / "clip_000003_label.nii.gz")
    assert torch.equal(found.as_tensor(), label)
    assert found.meta["frame_rate"] == pytest.approx(8)
    assert (load_clip(file)[:1].as_tensor().float() - to_uint8(CLIP).float()).abs().mean() <= 3
    assert folder.finished == {3}
    (tmp_path / "clip_000003_label.nii.gz").unlink()
    assert folder.finished == set()


def test_a_mask_that_was_asked_for_lies_beside_its_clip(tmp_path: Path) -> None:
    masks = torch.randint(0, 2, (4, 1, 3, 16, 16), dtype=torch.uint8)
    folder = SampleFolder(tmp_path, {}, frame_rate=8, asked_masks=lambda indices: masks[indices])
    folder.write(3, CLIP)
    assert torch.equal(load_clip(tmp_path / "clip_000003_label.nii.gz").as_tensor(), masks[3])
    (tmp_path / "clip_000003_label.nii.gz").unlink()
    assert folder.finished == set()


def test_latents_of_labelled_clips_are_one_file(tmp_path: Path) -> None:
    folder = SampleFolder(tmp_path, {}, frame_rate=8, file_format="latents", label_channels=2)
    folder.write(0, CLIP)
    assert {file.name for file in tmp_path.iterdir()} == {"clip_000000.safetensors", "manifest.json"}
    assert folder.finished == {0}


def test_several_processes_share_one_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before it is collected, what each has made is known; other settings are refused all the same."""
    for rank, index in ((1, 3), (0, 2)):
        with monkeypatch.context() as patch:
            patch.setattr(idist, "get_rank", lambda rank=rank: rank)
            folder = SampleFolder(tmp_path, {"seed": 0}, frame_rate=8)
            folder.write(index, CLIP)
            folder.collect()
    assert [file.name for file in tmp_path.glob("*.json")] == ["manifest.json"]
    assert SampleFolder(tmp_path, {"seed": 0}, frame_rate=8).finished == {2, 3}
    with pytest.raises(FileExistsError, match="seed: 0 there, 1 now"):
        SampleFolder(tmp_path, {"seed": 1}, frame_rate=8)
    assert list(json.loads((tmp_path / "manifest.json").read_text())["clips"]) == ["2", "3"]


def test_nothing_is_collected_where_nothing_was_made(tmp_path: Path) -> None:
    SampleFolder(tmp_path, {}, frame_rate=8).collect()
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_killed_leaves_clips_that_the_next_one_knows(tmp_path: Path) -> None:
    """The manifest comes first, so that no clip is of unknown origin; it lists what there is when it is written."""
    SampleFolder(tmp_path, {"seed": 3}, frame_rate=8).write(5, CLIP)  # killed before it could say so
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["settings"]["seed"] == 3
    following = SampleFolder(tmp_path, {"seed": 3}, frame_rate=8)
    assert following.finished == {5}
    following.save_manifest()
    assert json.loads((tmp_path / "manifest.json").read_text())["clips"] == {"5": "clip_000005.mp4"}


def test_runs_side_by_side_do_not_forget_each_others_clips(tmp_path: Path) -> None:
    one, other = (SampleFolder(tmp_path, {"seed": 3}, frame_rate=8, file_format="gif") for _ in range(2))
    for folder, indices in ((one, (0, 2)), (other, (1, 3)), (one, (2,))):
        for index in indices:
            folder.write(index, CLIP)
        folder.save_manifest()
    clips = json.loads((tmp_path / "manifest.json").read_text())["clips"]
    assert list(clips) == ["0", "1", "2", "3"]
    assert one.finished == other.finished == {0, 1, 2, 3}


def test_clips_that_no_manifest_knows_are_not_taken_for_ours(tmp_path: Path) -> None:
    SampleFolder(tmp_path, {}, frame_rate=8).write(0, CLIP)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(FileExistsError, match=r"holds 1 clips, but no manifest.json that says what made them"):
        SampleFolder(tmp_path, {}, frame_rate=8)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"settings": 1}'])
def test_another_kind_of_manifest_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match=r"manifest.json is not a manifest of sampled clips"):
        SampleFolder(tmp_path, {}, frame_rate=8)
