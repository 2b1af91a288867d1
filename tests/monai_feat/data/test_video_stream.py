# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Indexing and decoding by number: the index against what was written, and decoders that are kept within bounds."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from monai_feat.data import video_stream, write_mp4
from monai_feat.data.video_stream import FrameIndex, VideoReadError, decode_frames, first_picture, frame_index


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_mp4((torch.arange(3 * 40 * 32 * 48) % 251).to(torch.uint8).reshape(3, 40, 32, 48), tmp_path / "a.mp4", 10)
    return tmp_path / "a.mp4"


def test_the_index_holds_what_was_written(clip: Path) -> None:
    index = frame_index(clip)
    assert (index.frames, index.height, index.width, index.codec) == (40, 32, 48, "h264")
    assert index.frame_rate == pytest.approx(10)
    assert frame_index(clip) is index


def test_the_last_keyframe_before_a_frame() -> None:
    index = FrameIndex(20, 10, 32, 48, "h264", range(20), keyframes=(0, 7, 12))
    assert [index.keyframe_before(i) for i in (0, 6, 7, 11, 19)] == [0, 0, 7, 7, 12]


def test_numbers_reach_the_pictures_that_decoding_in_order_gives(clip: Path) -> None:
    index = frame_index(clip)
    pictures = [p.to_ndarray() for p in decode_frames(clip, index, range(40))]
    for numbers in ([0], [39], [3, 31], list(range(1, 40, 7))):
        chosen = decode_frames(clip, index, numbers)
        assert all((p.to_ndarray() == pictures[i]).all() for i, p in zip(numbers, chosen, strict=True))
    assert (first_picture(clip).to_ndarray() == pictures[0]).all()


def test_decoding_starts_no_thread(clip: Path) -> None:
    if not (tasks := Path("/proc/self/task")).is_dir():
        pytest.skip("the system does not list the threads of a process")
    before = len(list(tasks.iterdir()))
    for _ in decode_frames(clip, frame_index(clip), range(20)):
        assert len(list(tasks.iterdir())) <= before


def test_a_picture_of_too_many_pixels_is_refused(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_stream, "MAX_PIXELS", 32 * 47)
    with pytest.raises(VideoReadError, match=r"a\.mp4: is damaged"):
        first_picture(clip)


def test_a_change_of_the_file_is_noticed(clip: Path) -> None:
    assert frame_index(clip).frames == 40
    write_mp4(torch.zeros(3, 7, 32, 48, dtype=torch.uint8), clip, 10)
    assert frame_index(clip).frames == 7


def test_the_error_is_one_line_that_survives_a_worker() -> None:
    error = VideoReadError("a.mp4", "is\nbroken")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "a.mp4: is broken"
    assert (again.path, again.reason) == (Path("a.mp4"), "is broken")


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoReadError, match="is a folder"):
        frame_index(tmp_path)
    with pytest.raises(VideoReadError, match="cannot be opened"):
        first_picture(tmp_path / "none.mp4")
