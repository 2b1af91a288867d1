# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import list_data_collate
from monai.transforms import LoadImage, LoadImaged
from PIL import Image

from monai_feat.data import VideoReader, VideoReadError, load_clip, open_clip, write_gif, write_mp4


def grey_levels(length: int = 6) -> torch.Tensor:
    return (10 * torch.arange(length, dtype=torch.uint8))[None, :, None, None].expand(1, length, 12, 16)


def test_load_image_finds_the_reader_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "Müller clip %02d.gif"
    write_gif(grey_levels(), path, 20)
    clip = LoadImage(dtype=None)(path)
    assert (clip.shape, clip.dtype) == ((3, 6, 12, 16), torch.uint8)
    assert clip[0, :, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]
    assert clip.meta["frame_rate"] == pytest.approx(20)
    assert clip.meta["source"] == str(path)
    assert torch.equal(LoadImage(ensure_channel_first=True)(path).as_tensor(), clip.as_tensor().float())
    assert all(torch.equal(clip.as_tensor(), other.as_tensor()) for other in (load_clip(path), load_clip(str(path))))


def test_only_the_frames_asked_for(tmp_path: Path) -> None:
    write_mp4(grey_levels(), tmp_path / "a.mp4", 20)
    item = LoadImaged("image", dtype=None, reader=VideoReader(start=1, num_frames=2, stride=3))(
        {"image": tmp_path / "a.mp4"}
    )
    assert item["image"].shape == (3, 2, 12, 16)
    assert item["image"][0, :, 6, 8].tolist() == pytest.approx([10, 40], abs=1)
    assert item["image"].meta["frame_rate"] == pytest.approx(20 / 3)
    assert LoadImage(reader="VideoReader", num_frames=1)(tmp_path / "a.mp4").shape == (3, 1, 12, 16)
    batch = list_data_collate([item, item])
    assert batch["image"].shape == (2, 3, 2, 12, 16)


def test_folders_of_frames_have_the_rate_they_are_given(tmp_path: Path) -> None:
    for level, name in ((20, "f10.png"), (10, "f9.png"), (0, "f1.png")):
        Image.new("L", (16, 12), level).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no frame")
    clip = LoadImage(dtype=None)(tmp_path)
    assert clip[:, :, 0, 0].tolist() == [[0, 10, 20]] * 3
    assert clip.meta["frame_rate"] == 0
    assert LoadImage(reader=VideoReader(frame_rate=8))(tmp_path).meta["frame_rate"] == 8
    Image.new("L", (16, 13)).save(tmp_path / "f11.png")
    with pytest.raises(VideoReadError, match=r"f11\.png: has 13 x 16 pixels, the first frame 12 x 16"):
        load_clip(tmp_path)


def test_other_files_stay_with_monai(tmp_path: Path) -> None:
    Image.new("RGB", (16, 12)).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", np.zeros((3, 4)))
    assert LoadImage()(tmp_path / "a.png").shape == (16, 12, 3)
    assert LoadImage()(tmp_path / "a.npy").shape == (3, 4)
    reader = VideoReader()
    assert not any(reader.verify_suffix(name) for name in ("a.nii.gz", "ct.dcm", "a.mha", str(tmp_path / "none")))
    assert reader.verify_suffix("A.MP4")


def test_wrong_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one file or one folder"):
        VideoReader().read(["a.mp4", "b.mp4"])
    with pytest.raises(ValueError, match="frame_rate above 0"):
        VideoReader(frame_rate=0)
    with pytest.raises(VideoReadError, match="without frames"):
        load_clip(tmp_path)
    write_gif(grey_levels(), tmp_path / "a.gif", 20)
    with pytest.raises(VideoReadError, match="has 6 frames"):
        load_clip(tmp_path / "a.gif", 4, 4)
    with pytest.raises(ValueError, match="stride >= 1"):
        load_clip(tmp_path / "a.gif", stride=0)


def test_everything_real_loads_as_listed(shared_data: Path) -> None:
    """Frames as the list says, but for four MPEG files that it counts by their duration; pixels as in Pillow."""
    with (shared_data / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["path"].endswith(".imf")]
    for row in rows[::7]:
        path = shared_data / row["path"]
        clip = open_clip(path)
        assert clip.frames - int(row["frames"]) in ((0, 1, 2) if path.suffix == ".mpeg" else (0,)), path
        if path.suffix in (".gif", ".png", ".jpg"):
            with Image.open(path) as picture:
                picture.seek(clip.frames - 1)
                expected = torch.from_numpy(np.asarray(picture.convert("RGB")).astype(np.int32)).permute(2, 0, 1)
            mine = clip.read(clip.frames - 1)[:, 0]
            # Pillow and FFmpeg interpolate the colour of JPEG differently at edges.
            assert (mine - expected).abs().float().mean() < (1 if path.suffix == ".jpg" else 1e-6), path
