# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_feat.data.readers.frame_folder import FrameFolder, is_frame_pattern, list_stills
from monai_feat.data.readers.load import open_clip
from monai_feat.data.video_reader import VideoReadError


def stills(folder: Path, *names: str) -> Path:
    """Each picture is as bright as its place in the arguments, times 20."""
    for i, name in enumerate(names):
        Image.fromarray(np.full((4, 6, 3), 20 * i, np.uint8)).save(folder / name)
    return folder


def test_frames_come_in_order_without_hidden_files(tmp_path: Path) -> None:
    stills(tmp_path, "f10.png", "f9.bmp", "f008.tif", ".f7.png")
    (tmp_path / "notes.txt").touch()
    clip = FrameFolder(tmp_path)
    assert [path.name for path in list_stills(tmp_path)] == ["f008.tif", "f9.bmp", "f10.png"]
    assert (clip.frames, clip.frame_rate, clip.size) == (3, 0.0, (4, 6))
    assert clip.read()[0, :, 0, 0].tolist() == [40, 20, 0]


def test_a_pattern_names_the_frames_of_one_clip_among_others(tmp_path: Path) -> None:
    stills(tmp_path, "a_1.png", "a_2.png", "b_1.png", "b_2.png", "a_x.png", "a_1_mask.png")
    clip = open_clip(tmp_path / "b_%d.png")
    assert clip.frames == 2
    assert clip.read()[0, :, 0, 0].tolist() == [40, 60]
    assert is_frame_pattern(tmp_path / "b_%d.png")
    assert not is_frame_pattern(tmp_path / "b_1.png")
    (tmp_path / "c_%d.png").touch()  # a file of this very name is a file
    assert not is_frame_pattern(tmp_path / "c_%d.png")
    with pytest.raises(VideoReadError, match="without frames"):
        open_clip(tmp_path / "z_%d.png")


def test_masks_beside_frames_are_no_frames(tmp_path: Path) -> None:
    stills(tmp_path, "a_1.png", "a_1_mask.png", "a_2.png", "a_2_mask.png")
    assert FrameFolder(tmp_path).read()[0, :, 0, 0].tolist() == [0, 40]


def test_what_is_no_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoReadError, match="without frames; looked for"):
        FrameFolder(tmp_path)
    stills(tmp_path, "1.png", "2.png")
    Image.new("RGB", (5, 4)).save(tmp_path / "2.png")
    with pytest.raises(VideoReadError, match=r"2\.png: has 4 x 5 pixels, the first frame 4 x 6"):
        FrameFolder(tmp_path).read()
