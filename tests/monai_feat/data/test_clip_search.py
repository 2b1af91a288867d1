# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from monai_feat.data.clip_search import find_clips, find_labelled_clips
from monai_feat.data.datalist import DatalistError
from monai_feat.data.phantoms.collection import write_phantoms


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16)).save(folder / name)


def relative(found: dict[Path, Path | None], folder: Path) -> dict[str, str | None]:
    return {
        clip.relative_to(folder).as_posix(): mask and mask.relative_to(folder).as_posix()
        for clip, mask in found.items()
    }


def test_find_clips_is_recursive_and_natural(tmp_path: Path) -> None:
    for name in ("b10.mp4", "b9.MP4", "a/2.avi", "a/10.jpg", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in find_clips(tmp_path)]
    assert names == ["a/2.avi", "a/10.jpg", "b9.MP4", "b10.mp4"]
    assert find_clips(tmp_path / "b9.MP4") == [tmp_path / "b9.MP4"]


def test_folder_without_clips_says_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "scan.xyz").touch()
    with pytest.raises(FileNotFoundError, match=r"looked for \.mp4 .*\.dcm .*found 1 x \.xyz"):
        find_clips(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find_clips(tmp_path / "missing")


def test_masks_beside_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    for name in ("images/a.png", "masks/a.png", "other/masks/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    with pytest.warns(UserWarning, match=r"1 file is taken for masks .masks.a.png"):
        found = find_clips(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["images/a.png", "other/masks/b.png"]
    assert len(find_clips(tmp_path / "masks")) == 1


def test_masks_are_paired_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "a/images/x.png", "a/images/y.jpg", "a/masks/x.jpg", "a/masks/unused.png")
    touch(tmp_path, "b/videos/p/z.png", "b/labels/p/z.png", "b/labels/q/z.png")
    assert relative(find_labelled_clips(tmp_path), tmp_path) == {
        "a/images/x.png": "a/masks/x.jpg",
        "a/images/y.jpg": None,
        "b/videos/p/z.png": "b/labels/p/z.png",
    }


@pytest.mark.parametrize("below", ["", "images"])
def test_masks_beside_the_given_folder_are_found(tmp_path: Path, below: str) -> None:
    touch(tmp_path, "images/anna.png", "images/bert.png", "masks/anna.png")
    found = relative(find_labelled_clips(tmp_path / below), tmp_path)
    assert found == {"images/anna.png": "masks/anna.png", "images/bert.png": None}
    only = relative(find_labelled_clips(tmp_path / "images" / "anna.png"), tmp_path)
    assert only == {"images/anna.png": "masks/anna.png"}


def test_folders_of_frames_have_folders_of_masks(tmp_path: Path) -> None:
    names = [f"{kind}/cine/{number}.png" for kind in ("images", "masks") for number in range(1, 4)]
    touch(tmp_path, *names, *(f"one/{kind}/{number}.png" for kind in ("frames", "mask") for number in range(2)))
    assert relative(find_labelled_clips(tmp_path), tmp_path) == {"images/cine": "masks/cine", "one/frames": "one/mask"}


def test_a_datalist_gives_its_training_clips(tmp_path: Path) -> None:
    datalist = write_phantoms("ultrasound", tmp_path / "set", 5, 5, size=32, num_frames=2, num_folds=2, progress=False)
    assert len(datalist.testing) == 1
    listed = find_labelled_clips(tmp_path / "set" / "datalist.json")
    assert set(listed.items()) == {(item.image, item.label) for item in datalist.training}
    assert find_clips(tmp_path / "set" / "datalist.json") == list(listed)
    in_folder = find_labelled_clips(tmp_path / "set")
    assert len(in_folder) == 5
    assert listed.items() <= in_folder.items()


def test_no_mask_at_all_and_two_for_one_clip_are_errors(tmp_path: Path) -> None:
    touch(tmp_path, "images/x.png")
    with pytest.raises(FileNotFoundError, match=r"none of its 1 clips has a mask; expected files of the same names"):
        find_labelled_clips(tmp_path)
    touch(tmp_path, "masks/x.png", "masks/x.jpg")
    with pytest.raises(DatalistError, match=r"x\.(jpg|png) and x\.(jpg|png) could each be its mask"):
        find_labelled_clips(tmp_path)
    (tmp_path / "list.json").write_text(json.dumps({"training": [{"image": "images/x.png"}]}))
    with pytest.raises(FileNotFoundError, match="none of its 1 clips has a mask"):
        find_labelled_clips(tmp_path / "list.json")
