# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Indexing and decoding by number: the index against what was written, and decoders that are kept within bounds."""

from __future__ import annotations

import pickle
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from monai_feat.data import write_mp4
from monai_feat.data.limits import reading_limits
from monai_feat.data.video_stream import VideoReadError, decode_frames, frame_index


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_mp4((torch.arange(3 * 40 * 32 * 48) % 251).to(torch.uint8).reshape(3, 40, 32, 48), tmp_path / "a.mp4", 10)
    return tmp_path / "a.mp4"


def test_numbers_reach_the_pictures_that_decoding_in_order_gives(clip: Path) -> None:
    index = frame_index(clip)
    pictures = [p.to_ndarray() for p in decode_frames(clip, index, range(40))]
    for numbers in ([0], [39], [3, 31], list(range(1, 40, 7))):
        chosen = decode_frames(clip, index, numbers)
        assert all((p.to_ndarray() == pictures[i]).all() for i, p in zip(numbers, chosen, strict=True))


def test_decoding_starts_no_thread(clip: Path) -> None:
    if not (tasks := Path("/proc/self/task")).is_dir():
        pytest.skip("the system does not list the threads of a process")
    before = len(list(tasks.iterdir()))
    for _ in decode_frames(clip, frame_index(clip), range(20)):
        assert len(list(tasks.iterdir())) <= before


def test_a_picture_of_too_many_pixels_is_refused(clip: Path) -> None:
    with reading_limits(frame_pixels=32 * 47), pytest.raises(VideoReadError, match=r"a\.mp4: is damaged"):
        frame_index(clip)


def test_the_error_is_one_line_that_survives_a_worker() -> None:
    error = VideoReadError("a.mp4", "is\nbroken")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "a.mp4: is broken"
    assert (again.path, again.reason) == (Path("a.mp4"), "is broken")


def palettised(path: Path, codec: str) -> np.ndarray:
    """Write 30 frames of palette numbers; returns their colours, ``(30, 16, 16, 3)``. Red changes on the way."""
    reds = [np.arange(256, dtype=np.uint8), np.arange(255, -1, -1, dtype=np.uint8)]
    truth = np.zeros((30, 16, 16, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "pal8"
        for i in range(30):
            numbers = np.full((16, 16), 10 + i, np.uint8)
            numbers[:8] = 200
            red = reds[codec == "png" and i > 12]  # of these codecs, PNG alone has a palette in each packet
            truth[i, ..., 0] = red[numbers]
            argb = np.stack([np.full(256, 255, np.uint8), red, np.zeros(256, np.uint8), np.zeros(256, np.uint8)], -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray((numbers, argb), format="pal8")))
        container.mux(stream.encode(None))
    return truth


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "rawvideo"), ("a.mov", "rawvideo"), ("a.mov", "png"), ("a.avi", "png")],
)
def test_palettes_are_carried_wherever_reading_begins(tmp_path: Path, name: str, codec: str) -> None:
    truth = palettised(tmp_path / name, codec)
    index = frame_index(tmp_path / name)
    assert index.frames == 30
    for numbers in ([29], [3, 20], [17]):
        for number, picture in zip(numbers, decode_frames(tmp_path / name, index, numbers), strict=True):
            np.testing.assert_array_equal(picture.to_ndarray(format="rgb24"), truth[number])


@pytest.mark.parametrize("name", ["raw_pal8.avi", "pal8_hot.avi"])
def test_the_palettised_files_of_the_reports(cases: Path, name: str) -> None:
    path = cases / "video" / name
    index = frame_index(path)
    whole = [picture.to_ndarray(format="rgb24") for picture in decode_frames(path, index, range(index.frames))]
    assert whole[20].max() > 50
    for picture, truth in zip(decode_frames(path, index, range(20, 24)), whole[20:24], strict=True):
        np.testing.assert_array_equal(picture.to_ndarray(format="rgb24"), truth)


def abbreviated(jpeg: bytes) -> bytes:
    """A JPEG picture without its tables."""
    kept, position = jpeg[:2], 2
    while jpeg[position + 1] != 0xDA:
        stop = position + 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
        kept += b"" if jpeg[position + 1] in (0xDB, 0xC4) else jpeg[position:stop]
        position = stop
    return kept + jpeg[position:]


@pytest.mark.parametrize("with_tables", [(0,), (0, 1, 2)])
def test_motion_jpeg_whose_tables_came_before_is_read_from_there(tmp_path: Path, with_tables: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    with av.open(str(tmp_path / "whole.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        for _ in range(20):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(tmp_path / "whole.mkv")) as source, av.open(str(tmp_path / "cut.mkv"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux(video=0) if p.size):
            data = bytes(packet) if number in with_tables else abbreviated(bytes(packet))
            short = av.Packet(data)
            short.pts, short.dts, short.time_base, short.stream = packet.pts, packet.dts, packet.time_base, stream
            short.is_keyframe = True
            target.mux(short)
    with av.open(str(tmp_path / "cut.mkv")) as container:
        truth = [picture.to_ndarray() for picture in container.decode(video=0)]
    index = frame_index(tmp_path / "cut.mkv")
    for number in (19, 7, 1):
        (picture,) = decode_frames(tmp_path / "cut.mkv", index, [number])
        np.testing.assert_array_equal(picture.to_ndarray(), truth[number])
