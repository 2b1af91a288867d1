# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.transforms import Compose, RandGaussianNoise
from torch import Tensor

from monai_feat.data import ClipFolderDataset, write_gif
from monai_feat.data.frame_cache import FrameCache, describe_transform
from monai_feat.data.frame_preparation import FramePreparation
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.transforms.endoscopy import CropToFieldOfView, RemoveBurntIn
from monai_feat.transforms.functional import to_unit_range
from monai_feat.transforms.ultrasound import CropToField, DetectUltrasoundField


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    (tmp_path / "clips").mkdir()
    for i in range(3):
        frames = torch.randint(256, (1, 12, 20, 20), generator=generator, dtype=torch.uint8)
        write_gif(frames, tmp_path / "clips" / f"{i}.gif", 10)
    return tmp_path / "clips"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose frames are decoded and prepared, in order."""
    files: list[Path] = []
    original = FramePreparation.prepare

    def note(self: FramePreparation, file: ClipFile, *rest: Any) -> Tensor:
        files.append(file.path)
        return original(self, file, *rest)

    monkeypatch.setattr(FramePreparation, "prepare", note)
    return files


def open_folder(folder: Path, **options: Any) -> list[Tensor]:
    given = {"num_frames": 4, "size": 16, "clips_per_video": 2, "progress": False, "cache_dir": folder.parent / "cache"}
    clips = ClipFolderDataset(folder, **{**given, **options})
    return [clips[i]["image"] for i in range(len(clips))]


def test_a_second_reading_decodes_nothing_and_is_the_same(folder: Path, decoded: list[Path]) -> None:
    uncached = open_folder(folder, cache_dir=None)
    first = open_folder(folder)
    decoded.clear()
    second = open_folder(folder)
    assert decoded == []
    for clips in (first, second):
        assert all(torch.equal(one, other) for one, other in zip(uncached, clips, strict=True))


@pytest.mark.parametrize("change", [{"size": 12}, {"seed": 1}, {"channels": 1}, {"preprocessing": CropToFieldOfView()}])
def test_what_is_made_otherwise_is_read_again(folder: Path, decoded: list[Path], change: dict[str, Any]) -> None:
    open_folder(folder)
    decoded.clear()
    changed = open_folder(folder, **change)
    assert len(decoded) == 3
    expected = open_folder(folder, **change, cache_dir=None)
    assert all(torch.equal(one, other) for one, other in zip(changed, expected, strict=True))


def test_a_changed_file_is_read_again(folder: Path, decoded: list[Path]) -> None:
    open_folder(folder)
    write_gif(torch.full((1, 12, 20, 20), 200, dtype=torch.uint8), folder / "1.gif", 10)
    decoded.clear()
    clips = open_folder(folder)
    assert decoded == [folder / "1.gif"]
    assert clips[2].unique().tolist() == pytest.approx([200 / 127.5 - 1], abs=1e-6)


def test_what_was_read_is_kept_where_reading_is_stopped(folder: Path, decoded: list[Path]) -> None:
    def stop(done: int, total: int) -> None:
        assert total == 3
        if done == 2:
            raise TimeoutError("enough")

    with pytest.raises(TimeoutError, match="enough"):
        open_folder(folder, on_read=stop)
    decoded.clear()
    open_folder(folder)
    assert decoded == [folder / "2.gif"]


def test_random_transforms_and_closures_are_never_kept(folder: Path, decoded: list[Path]) -> None:
    def local(clip: Tensor) -> Tensor:
        return clip

    for preprocessing in (local, lambda clip: clip):
        open_folder(folder, preprocessing=preprocessing)
        decoded.clear()
        open_folder(folder, preprocessing=preprocessing)
        assert len(decoded) == 3
    with pytest.raises(TypeError):
        describe_transform(RandGaussianNoise())


def test_settings_tell_transforms_apart() -> None:
    described = [
        str(describe_transform(transform))
        for transform in (
            Compose([RemoveBurntIn(), CropToFieldOfView()]),
            Compose([RemoveBurntIn(), CropToFieldOfView(margin=3)]),
            Compose([RemoveBurntIn(0.4), CropToFieldOfView()]),
            Compose([DetectUltrasoundField(), CropToField()]),
            None,
        )
    ]
    assert len(set(described)) == 5


def test_a_cache_that_cannot_be_written_is_a_warning(folder: Path) -> None:
    (folder.parent / "file").touch()
    with pytest.warns(UserWarning, match="read clips are not kept, .* choose another folder"):
        open_folder(folder, cache_dir=folder.parent / "file" / "cache")


def test_the_oldest_frames_make_room(tmp_path: Path) -> None:
    preparation = FramePreparation((8, 8), 1)
    most = 3000
    for i in range(4):
        cache = FrameCache(tmp_path, preparation, most)
        cache.put({f"key {i}": torch.full((1, 16, 8, 8), i, dtype=torch.uint8)})
        cache.close()
        for age, file in enumerate(sorted(tmp_path.glob("*.safetensors"), key=lambda file: -file.stat().st_mtime)):
            os.utime(file, (1e9 - age, 1e9 - age))
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= most
    cache = FrameCache(tmp_path, preparation, most)
    assert cache.get("key 0") is None
    kept = cache.get("key 3")
    assert kept is not None
    assert kept.unique().tolist() == [3]


def test_two_arrays_of_one_file_are_kept_apart(tmp_path: Path) -> None:
    both = np.random.default_rng(0).integers(0, 255, (2, 5, 20, 20), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", first=both[0], second=both[1])
    for _ in range(2):  # the second time from the cache
        items = [{"image": str(tmp_path / f"a.npz#array={name}")} for name in ("first", "second")]
        clips = ClipFolderDataset(items, 5, 20, 1, progress=False, cache_dir=tmp_path / "cache")
        for i, pixels in enumerate(both):
            torch.testing.assert_close(clips[i]["image"][0], to_unit_range(torch.from_numpy(pixels)))
