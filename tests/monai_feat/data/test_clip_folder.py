# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from PIL import Image

from monai_feat.data import clip_folder
from monai_feat.data.clip_folder import ClipFolderDataset, find_clips
from monai_feat.data.video_reader import VideoReadError, read_video
from monai_feat.data.video_writer import write_gif, write_mp4
from monai_feat.transforms.functional import to_uint8


def counting_clip(length: int, offset: int = 0) -> torch.Tensor:
    """Uniform grey frames whose level is their number: exact in a grey gif."""
    return (torch.arange(length, dtype=torch.uint8) + offset)[None, :, None, None].expand(1, length, 24, 32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, (name, length) in enumerate({"clip2": 40, "clip10": 30, "clip1": 50}.items()):
        write_gif(counting_clip(length, 60 * number), tmp_path / f"{name}.gif", 20)
    return tmp_path


def levels(dataset: ClipFolderDataset, index: int) -> list[int]:
    return [int(level) for level in to_uint8(dataset[index]["image"])[0, :, 0, 0]]


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


@pytest.mark.parametrize("stride", [1, 2])
def test_items_are_consecutive_frames_of_one_video(folder: Path, stride: int) -> None:
    dataset = ClipFolderDataset(folder, 8, 16, channels=1, stride=stride, clips_per_video=3, progress=False)
    assert len(dataset) == 9
    assert [path.stem for path in dataset.paths] == ["clip1", "clip2", "clip10"]
    for index in range(9):
        numbers = levels(dataset, index)
        assert numbers == list(range(numbers[0], numbers[0] + 8 * stride, stride))
        assert dataset[index]["source"] == str(dataset.paths[index // 3])
        assert dataset[index]["frame_rate"] == pytest.approx(20 / stride)
    # The clips of one video lie in its first, second and last third.
    starts = [levels(dataset, index)[0] - 120 for index in range(3)]
    room = 50 - 7 * stride
    assert all(int(i * room / 3) <= start <= (i + 1) * room / 3 for i, start in enumerate(starts))


def test_items_collate_and_agree_with_the_reader(folder: Path) -> None:
    dataset = ClipFolderDataset(folder, 8, (12, 16), progress=False)
    batch = list_data_collate([dataset[0], dataset[2]])
    assert (batch["image"].shape, batch["image"].dtype) == ((2, 3, 8, 12, 16), torch.float32)
    start = levels(dataset, 0)[0] - 120
    expected = read_video(dataset.paths[0], start, 8)[:, :, ::2, ::2]
    assert torch.equal(to_uint8(batch["image"][0]), expected)


def test_seed_and_index_decide_and_nothing_else(folder: Path) -> None:
    first, again, other = (
        ClipFolderDataset(folder, 4, 8, seed=seed, clips_per_video=2, progress=False) for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[i]["image"], again[i]["image"]) for i in range(6))
    assert torch.equal(first[3]["image"], first[3]["image"])
    assert any(not torch.equal(first[i]["image"], other[i]["image"]) for i in range(6))


def test_frame_rate_takes_the_nearest_frames(folder: Path) -> None:
    dataset = ClipFolderDataset(folder, 5, 8, channels=1, frame_rate=8, progress=False)
    numbers = levels(dataset, 0)
    assert [number - numbers[0] for number in numbers] == [0, 3, 5, 8, 10]
    assert dataset[0]["frame_rate"] == pytest.approx(8)
    with pytest.raises(VideoReadError, match=r"clip1\.gif: the clip has 20 frames per second, 30 were asked for"):
        ClipFolderDataset(folder, 5, 8, frame_rate=30, progress=False)


def test_short_clips_are_an_error_or_play_to_and_fro(folder: Path) -> None:
    with pytest.raises(VideoReadError, match=r"clip2\.gif: has 40 frames; 45 are needed .* on_short='loop'"):
        ClipFolderDataset(folder, 45, 8, progress=False)
    write_gif(counting_clip(4), folder / "clip0.gif", 20)
    dataset = ClipFolderDataset(folder / "clip0.gif", 11, 8, on_short="loop", progress=False)
    assert levels(dataset, 0) == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2]


def test_bad_files_stop_or_are_skipped_by_name(folder: Path) -> None:
    (folder / "clip1.mp4").write_text("no video")
    with pytest.raises(VideoReadError, match=r"clip1\.mp4: is not a video"):
        ClipFolderDataset(folder, 8, 8, progress=False)
    with pytest.warns(UserWarning, match=r"2 of 4 files were skipped(.|\n)*clip1\.mp4: (.|\n)*clip10\.gif: has 30"):
        dataset = ClipFolderDataset(folder, 36, 8, on_bad="skip", progress=False)
    assert [path.name for path in dataset.paths] == ["clip1.gif", "clip2.gif"]
    assert [error.path.name for error in dataset.skipped] == ["clip1.mp4", "clip10.gif"]
    with pytest.raises(VideoReadError, match="no file could be used"):
        ClipFolderDataset(folder, 99, 8, on_bad="skip", progress=False)


def test_grey_of_colour_is_luma_and_pad_keeps_the_picture(tmp_path: Path) -> None:
    red = torch.zeros(3, 2, 32, 64, dtype=torch.uint8)
    red[0] = 250
    write_mp4(red, tmp_path / "red.mp4", 10)
    image = ClipFolderDataset(tmp_path, 2, 32, channels=1, fit="pad", progress=False)[0]["image"]
    assert image.shape == (1, 2, 32, 32)
    assert (image[:, :, :8] == -1).all()
    assert to_uint8(image[0, 0, 16, 16]).item() == pytest.approx(0.299 * 250, abs=2)


def test_wrong_arguments_are_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"fit to be one of .*'stretch'"):
        ClipFolderDataset(folder, fit="stretch", progress=False)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="and no stride; got 2, 5"):
        ClipFolderDataset(folder, stride=2, frame_rate=5, progress=False)
    with pytest.raises(ValueError, match="num_frames"):
        ClipFolderDataset(folder, num_frames=0, progress=False)


@pytest.mark.filterwarnings("ignore:.*files were skipped:UserWarning")
def test_frame_folders_are_clips_and_loose_stills_are_stills(tmp_path: Path) -> None:
    for folder, names in {
        "cine": ["img_8", "img_9", "img_10"],
        "gaps": ["img_1", "img_3"],
        "named": ["anna", "bert"],
        ".": ["01", "02"],
    }.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        for level, name in enumerate(names):
            Image.new("L", (32, 24), 50 + level).save(tmp_path / folder / f"{name}.png")
    names = [path.relative_to(tmp_path).as_posix() for path in find_clips(tmp_path)]
    assert names == ["01.png", "02.png", "cine", "gaps/img_1.png", "gaps/img_3.png", "named/anna.png", "named/bert.png"]
    dataset = ClipFolderDataset(tmp_path, 3, 8, channels=1, on_bad="skip", progress=False)
    assert [path.name for path in dataset.paths] == ["cine"]
    assert levels(dataset, 0) == [50, 51, 52]
    with pytest.raises(VideoReadError, match=r"cine: frame_rate needs the clip.s frame rate, and it has none"):
        ClipFolderDataset(tmp_path, 1, 8, frame_rate=5, progress=False)


def test_grey_and_colour_of_all_formats_mix(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.full((32, 24, 5), 90, np.uint8), np.eye(4)), tmp_path / "a.nii.gz")
    write_gif(counting_clip(5, 90), tmp_path / "b.gif", 20)
    dataset = ClipFolderDataset(tmp_path, 4, 8, progress=False)
    assert dataset[0]["image"].shape == dataset[1]["image"].shape == (3, 4, 8, 8)
    assert levels(dataset, 0) == [90] * 4


def test_real_ultrasound_keeps_its_sector(shared_data: Path) -> None:
    path = shared_data / "ultrasound_video" / "lung" / "Reg_pat1Image_133410.mpeg"
    dataset = ClipFolderDataset(path, size=64, channels=1, fit="pad", clips_per_video=2, progress=False)
    images = torch.stack([dataset[0]["image"], dataset[1]["image"]])
    assert images.shape == (2, 1, 16, 64, 64)
    assert images.std() > 0.1


def test_masks_beside_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    for name in ("images/a.png", "masks/a.png", "other/masks/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    with pytest.warns(UserWarning, match=r"1 files are taken for masks and left out: .*/masks"):
        found = find_clips(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["images/a.png", "other/masks/b.png"]
    assert len(find_clips(tmp_path / "masks")) == 1


def test_preprocessing_sees_the_frames_of_a_video_at_full_size(folder: Path) -> None:
    seen: list[MetaTensor] = []

    def keep_left_half(clip: MetaTensor) -> torch.Tensor:
        seen.append(clip)
        return clip[..., :16]

    options = dict(num_frames=4, size=(24, 16), channels=1, clips_per_video=2, progress=False)
    dataset = ClipFolderDataset(folder, **options, preprocessing=keep_left_half)
    plain = ClipFolderDataset(folder, **options)
    assert [tuple(clip.shape) for clip in seen] == [(3, 8, 24, 32)] * 3
    assert Path(seen[0].meta["source"]) == dataset.paths[0]
    assert all(levels(dataset, index) == levels(plain, index) for index in range(6))


def test_preprocessing_splits_what_does_not_fit_into_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_folder, "_MOST_AT_ONCE", 10 * 3 * 24 * 32)
    seen: list[int] = []

    def count(clip: MetaTensor) -> torch.Tensor:
        seen.append(clip.shape[1])
        return clip

    dataset = ClipFolderDataset(folder, 4, 16, 1, clips_per_video=5, preprocessing=count, max_videos=1, progress=False)
    assert max(seen) <= 10
    assert sum(seen) >= 20 > len(dataset)


@pytest.mark.parametrize(
    ("preprocessing", "error", "message"),
    [
        (lambda clip: clip.float(), ValueError, "expected uint8"),
        (lambda clip: clip[:, :2], ValueError, "as many frames"),
        (lambda clip: 1 // 0, RuntimeError, r"clip1\.gif: preprocessing of \(3, 4, 24, 32\) failed"),
    ],
)
def test_wrong_preprocessing_is_an_error(
    folder: Path, preprocessing: Callable[[MetaTensor], torch.Tensor], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ClipFolderDataset(folder, 4, 16, 1, preprocessing=preprocessing, progress=False)
