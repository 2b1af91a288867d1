# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Compose
from PIL import Image

from monai_feat.data import frame_preparation
from monai_feat.data.clip_folder import ClipFolderDataset
from monai_feat.data.clip_search import find_clips
from monai_feat.data.image_writers import NiftiClipWriter
from monai_feat.data.phantoms import ultrasound_phantom
from monai_feat.data.readers.load import load_clip
from monai_feat.data.video_reader import VideoReadError, read_video
from monai_feat.data.video_writer import write_gif, write_mp4
from monai_feat.transforms import UNKNOWN_LABEL
from monai_feat.transforms.functional import resize_clip, to_uint8
from monai_feat.transforms.ultrasound import CropToField, DetectUltrasoundField
from monai_feat.transforms.video.functional import resize_labels


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
    monkeypatch.setattr(frame_preparation, "_MOST_AT_ONCE", 10 * 3 * 24 * 32)
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


def write_nifti(pixels: torch.Tensor, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = NiftiClipWriter()
    writer.set_data_array(pixels)
    writer.set_metadata({"frame_rate": 10})
    writer.write(path, verbose=False)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two clips of a phantom in a dark frame of 48 x 64, the first one with its mask."""
    for seed in range(2):
        phantom = ultrasound_phantom(seed, 40, 6)
        image, mask = (torch.nn.functional.pad(pixels, (20, 4, 2, 6)) for pixels in (phantom.image, phantom.mask))
        write_nifti(image, tmp_path / "images" / f"{seed}.nii.gz")
        if seed == 0:
            write_nifti(mask, tmp_path / "masks" / f"{seed}.nii.gz")
    return tmp_path


@pytest.mark.filterwarnings("ignore:1 of 2 clips have no mask:UserWarning")
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_labels_are_the_same_frames_in_the_same_place(labelled: Path, fit: Any) -> None:
    options: dict[str, Any] = {"num_frames": 3, "size": 32, "channels": 1, "fit": fit, "clips_per_video": 2}
    dataset = ClipFolderDataset(labelled, **options, label_channels=2, progress=False)
    plain = ClipFolderDataset(labelled / "images", **options, progress=False)
    truth = ClipFolderDataset(labelled / "masks", **options, progress=False)
    assert [mask and mask.name for mask in dataset.masks] == ["0.nii.gz", None]
    for index in range(4):
        torch.testing.assert_close(dataset[index]["image"], plain[index]["image"])
        label = dataset[index]["label"]
        assert (label.dtype, label.shape) == (torch.uint8, (1, 3, 32, 32))
        # Pixels of a mask of 0 and 1 that is resized as a picture round to the larger share.
        torch.testing.assert_close(label, to_uint8(truth[index]["image"]) if index < 2 else torch.full_like(label, 255))
    assert 0 < dataset[0]["label"].float().mean() < 1
    assert list_data_collate([dataset[0], dataset[3]])["label"].shape == (2, 1, 3, 32, 32)


@pytest.mark.filterwarnings("ignore:1 of 2 clips have no mask:UserWarning")
def test_labels_follow_a_crop(labelled: Path) -> None:
    """The sector of the phantom is found and cropped to: its mask must still lie on its chamber."""
    crop = Compose([DetectUltrasoundField(), CropToField()])
    image, mask = (load_clip(labelled / kind / "0.nii.gz") for kind in ("images", "masks"))
    cropped = crop(image)
    rows, columns = (int(start) for start in cropped.affine[-3:-1, -1])
    height, width = cropped.shape[-2:]
    assert (height, width) != (48, 64)
    dataset = ClipFolderDataset(labelled, 6, 32, 1, fit="pad", preprocessing=crop, label_channels=2, progress=False)
    by_hand = mask.as_tensor()[..., rows : rows + height, columns : columns + width]
    torch.testing.assert_close(dataset[0]["label"], resize_labels(by_hand, 32, "pad"))
    torch.testing.assert_close(to_uint8(dataset[0]["image"]), resize_clip(cropped.as_tensor(), 32, "pad"))


def test_clips_without_masks_are_counted(labelled: Path) -> None:
    with pytest.warns(UserWarning, match="1 of 2 clips have no mask: their label is unknown"):
        dataset = ClipFolderDataset(labelled, 2, 16, 1, label_channels=2, progress=False)
    assert (dataset[1]["label"] == UNKNOWN_LABEL).all()


@pytest.mark.filterwarnings("ignore:1 of [12]:UserWarning")
def test_masks_that_do_not_fit_are_errors_or_skipped(labelled: Path) -> None:
    write_nifti(torch.zeros(1, 5, 48, 64), labelled / "masks" / "0.nii.gz")
    options: dict[str, Any] = {"num_frames": 2, "size": 16, "channels": 1, "progress": False}
    with pytest.raises(
        VideoReadError, match=r"masks/0\.nii\.gz: is a mask of 5 frames of 48 x 64 pixels; its clip .* 6"
    ):
        ClipFolderDataset(labelled, **options, label_channels=2)
    dataset = ClipFolderDataset(labelled, **options, label_channels=2, on_bad="skip")
    assert [path.name for path in dataset.paths] == ["1.nii.gz"]
    with pytest.raises(ValueError, match="label_channels from 2 to 255"):
        ClipFolderDataset(labelled, **options, label_channels=1)


def test_a_preprocessing_that_masks_cannot_follow_is_an_error(labelled: Path) -> None:
    with pytest.raises(ValueError, match="in a way that masks cannot follow"):
        ClipFolderDataset(
            labelled, 2, 16, 1, preprocessing=lambda clip: clip.as_tensor()[..., 3:], label_channels=2, progress=False
        )


def test_real_polyps_keep_their_masks(shared_data: Path) -> None:
    dataset = ClipFolderDataset(shared_data / "polyp_seg", 1, 32, label_channels=2, max_videos=4, progress=False)
    assert all(set(dataset[index]["label"].unique().tolist()) == {0, 1} for index in range(4))
