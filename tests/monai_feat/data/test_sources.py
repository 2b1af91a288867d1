# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from monai_feat.data import (
    ClipFolderDataset,
    LabelledClips,
    PhantomDataset,
    VideoReadError,
    list_clips,
    open_clips,
    write_mp4,
    write_phantoms,
)
from monai_feat.transforms import join_labels


def write_videos(folder: Path, count: int, frames: int = 12) -> None:
    for i in range(count):
        write_mp4(torch.randint(0, 256, (3, frames, 32, 48), dtype=torch.uint8), folder / f"{i}.mp4", 10.0)


def test_phantoms_are_those_of_the_phantom_data_set() -> None:
    clips = open_clips("phantom:endoscopy", num_clips=3, num_frames=2, size=(16, 32), frame_rate=5.0, seed=4)
    phantoms = PhantomDataset("endoscopy", 3, seed=4, size=(16, 32), num_frames=2, frame_rate=5.0)
    assert len(clips) == 3  # type: ignore[arg-type]
    torch.testing.assert_close(clips[2]["image"], phantoms[2]["image"], rtol=0, atol=0)
    assert clips[2]["frame_rate"] == 5.0
    other = open_clips("phantom:endoscopy", num_clips=3, num_frames=2, size=(16, 32), frame_rate=5.0, seed=5)
    assert not torch.equal(clips[2]["image"], other[2]["image"])


@pytest.mark.parametrize(("asked", "given"), [(3, 3), (4, 6), (7, 9)])
def test_a_folder_gives_the_next_multiple_of_its_videos(tmp_path: Path, asked: int, given: int) -> None:
    write_videos(tmp_path, 3)
    clips = open_clips(tmp_path, num_clips=asked, num_frames=4, size=16)
    assert isinstance(clips, ClipFolderDataset)
    sources = [Path(clips[i]["source"]).name for i in range(given)]
    assert len(clips) == given
    assert {sources.count(f"{i}.mp4") for i in range(3)} == {given // 3}


def test_of_more_videos_than_clips_it_reads_some_all_over_the_folder(tmp_path: Path) -> None:
    write_videos(tmp_path, 3)
    (tmp_path / "1.mp4").write_bytes(b"not a video, and not read")
    clips = open_clips(tmp_path, num_clips=1, num_frames=4, size=16)
    assert [Path(clips[i]["source"]).name for i in range(len(clips))] == ["0.mp4"]  # type: ignore[arg-type]


def test_every_argument_reaches_the_folder(tmp_path: Path) -> None:
    write_videos(tmp_path, 1)
    options: dict[str, Any] = dict(num_frames=3, size=16, channels=1, frame_rate=5.0, fit="pad", seed=9)
    clips = open_clips(str(tmp_path), num_clips=2, **options)
    expected = ClipFolderDataset(tmp_path, clips_per_video=2, **options)
    for i in range(2):
        torch.testing.assert_close(clips[i]["image"], expected[i]["image"], rtol=0, atol=0)
        assert clips[i]["image"].shape == (1, 3, 16, 16)
        assert clips[i]["frame_rate"] == 5.0


def test_short_and_broken_videos_are_treated_as_asked(tmp_path: Path) -> None:
    write_videos(tmp_path, 2)
    whole = (tmp_path / "0.mp4").read_bytes()
    (tmp_path / "0.mp4").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(VideoReadError, match=r"0\.mp4"):
        open_clips(tmp_path, num_clips=2, num_frames=4, size=16)
    with pytest.warns(UserWarning, match=r"1 of 2 files were skipped.*\n.*0\.mp4"):
        assert len(open_clips(tmp_path, num_clips=2, num_frames=4, size=16, on_bad="skip")) == 1  # type: ignore[arg-type]
    (tmp_path / "0.mp4").unlink()
    with pytest.raises(VideoReadError, match="has 12 frames; 30 are needed"):
        open_clips(tmp_path, num_clips=1, num_frames=30, size=16)
    assert open_clips(tmp_path, num_clips=1, num_frames=30, size=16, on_short="loop")[0]["image"].shape[1] == 30


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ("phantom:endoscopy", {"num_clips": 0}, ValueError, "num_clips must be at least 1, got 0"),
        ("phantom:endoscopy", {"channels": 1}, ValueError, "3 channels, 1 were asked for; set channels=3"),
        ("phantom:ultrasound", {"channels": 3}, ValueError, "1 channels, 3 were asked for; set channels=1"),
        ("phantom:heart", {}, ValueError, r"unknown phantom 'heart'; .*'endoscopy', 'ultrasound'"),
        ("phantom:endoscopy", {"num_frames": 0}, ValueError, "frames"),
        ("no/such/folder", {}, FileNotFoundError, "no/such/folder: no such folder"),
    ],
)
def test_errors_are_for_people(source: str, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        open_clips(source, **{"num_clips": 1, "num_frames": 2, "size": 16, **options})


def test_a_folder_without_clips_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileNotFoundError, match=r"no clips in this folder or below.*1 x \.txt"):
        open_clips(tmp_path, num_clips=1)


def test_label_channels_bring_the_masks_along(tmp_path: Path) -> None:
    plain, labelled = (open_clips("phantom:ultrasound", 2, 2, 32, 1, label_channels=k) for k in (0, 2))
    assert isinstance(labelled, LabelledClips)
    torch.testing.assert_close(labelled[0]["image"], join_labels(plain[0]["image"], plain[0]["label"], 2))
    write_phantoms("ultrasound", tmp_path / "set", 3, 3, size=32, num_frames=4, num_folds=2, progress=False)
    for source in (tmp_path / "set", tmp_path / "set" / "datalist.json"):
        clips = open_clips(source, 5, 2, 32, 1, label_channels=2)
        images = torch.stack([clips[index]["image"] for index in range(len(clips))])
        assert images.shape[1:] == (3, 2, 32, 32)
        assert (images[:, 1:].abs() == 1).all()
        assert (images[:, 2] == 1).any()


def test_masks_can_lie_beside_clips_that_hold_none(tmp_path: Path) -> None:
    write_phantoms("ultrasound", tmp_path, 3, 3, size=32, num_frames=4, num_folds=2, progress=False)
    options: dict[str, Any] = {"num_clips": 3, "num_frames": 2, "size": 32, "channels": 1}
    plain, joined = (open_clips(tmp_path, **options, label_channels=classes) for classes in (0, 2))
    beside = open_clips(tmp_path, **options, mask_classes=2)
    assert "label" not in plain[0]
    for i in range(3):
        torch.testing.assert_close(beside[i]["image"], plain[i]["image"], rtol=0, atol=0)
        torch.testing.assert_close(beside[i]["label"], joined[i]["label"], rtol=0, atol=0)


def test_a_list_of_files_is_opened_as_their_folder(tmp_path: Path) -> None:
    write_phantoms("ultrasound", tmp_path, 3, 3, size=32, num_frames=2, num_folds=2, progress=False)
    listed = list_clips(tmp_path, label_channels=2)
    assert all(Path(item[key]).is_absolute() for item in listed for key in ("image", "label"))
    options: dict[str, Any] = {"num_clips": 3, "num_frames": 2, "size": 16, "channels": 1, "label_channels": 2}
    folder, files = open_clips(tmp_path, **options), open_clips(listed, **options)
    for index in range(3):
        assert torch.equal(files[index]["image"], folder[index]["image"])
    part = open_clips([{"image": listed[1]["image"], "more": 1}], **{**options, "label_channels": 0})
    assert {part[index]["source"] for index in range(3)} == {listed[1]["image"]}


def test_lists_of_no_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a folder, or a list of at least one clip; got an empty list"):
        open_clips([], num_clips=1)
    with pytest.raises(ValueError, match=r"an item: has no path under 'image'; it holds \['video'\]"):
        open_clips([{"video": "a.mp4"}], num_clips=1)
