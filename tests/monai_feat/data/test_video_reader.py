# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import pickle
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from monai_feat.data.readers.load import CLIP_FILE_SUFFIXES, load_clip
from monai_feat.data.suffixes import STILL_SUFFIXES, VIDEO_SUFFIXES
from monai_feat.data.video_reader import VideoReadError, iter_frames, probe_video, read_video
from monai_feat.data.video_stream import frame_index
from monai_feat.data.video_writer import write_mp4

LENGTH = 50
# Codec, pixel format and encoder options of files that differ in how frames are stored, timed and found.
ENCODINGS: dict[str, tuple[str, str, Mapping[str, str]]] = {
    "b_frames.mp4": ("libx264", "yuv420p", {"bf": "3", "g": "12"}),
    "open_gop.mp4": ("libx264", "yuv420p", {"x264-params": "open-gop=1:bframes=3:keyint=12"}),
    "b_frames.mov": ("libx264", "yuv420p", {"bf": "3", "g": "12"}),
    "open_gop.mkv": ("libx264", "yuv420p", {"x264-params": "open-gop=1:bframes=3:keyint=12"}),
    "intra_refresh.mkv": ("libx264", "yuv420p", {"x264-params": "intra-refresh=1:keyint=12"}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {"bf": "2", "g": "12"}),
    "h264.avi": ("libx264", "yuv420p", {"bf": "3", "g": "12"}),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}),
    "program.mpeg": ("mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "vp9.webm": ("libvpx-vp9", "yuv420p", {"g": "12", "deadline": "realtime", "cpu-used": "8"}),
    "vp8_hidden_frames.webm": ("libvpx", "yuv420p", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "10"}),
    "lossless.mkv": ("ffv1", "bgr0", {}),
    "palette.gif": ("gif", "rgb8", {}),
    "wmv2.wmv": ("wmv2", "yuv420p", {"g": "12"}),
    "flv1.flv": ("flv", "yuv420p", {"g": "12"}),
    "vp8.ogv": ("libvpx", "yuv420p", {"g": "12", "deadline": "realtime"}),
    "intra.mxf": ("mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "camcorder.m2ts": ("libx264", "yuv420p", {"bf": "3", "g": "12"}),
    "camcorder.ts": ("mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "disc.vob": ("mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "phone.3gp": ("libx264", "yuv420p", {"bf": "0", "g": "12"}),
    "bare.m2v": ("mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "bare.h264": ("libx264", "yuv420p", {"bf": "3", "g": "12"}),
    "bare.mjpeg": ("mjpeg", "yuvj420p", {}),
}
# Muxers for endings of which PyAV does not think.
MUXERS = {".m2ts": "mpegts", ".vob": "vob", ".m2v": "mpeg2video", ".mjpeg": "mjpeg"}


def numbered_frames() -> list[np.ndarray]:
    """Frames 48 x 64 that carry their number as six black or white bars, above a moving pattern."""
    rows, columns = np.mgrid[:48, :64]
    frames = []
    for t in range(LENGTH):
        pattern = 128 + 60 * np.sin(columns / 9 + t / 5) + 40 * np.cos(rows / 7 - t / 7)
        frame = np.stack([pattern, pattern * 0.8, 255 - pattern], axis=-1).clip(0, 255).astype(np.uint8)
        for bit in range(6):
            frame[:16, 8 + 8 * bit : 16 + 8 * bit] = 255 * (t >> bit & 1)
        frames.append(frame)
    return frames


def number_of(frame: Tensor) -> int:
    return sum(int(frame[:, 4:12, 11 + 8 * bit : 13 + 8 * bit].float().mean() > 128) << bit for bit in range(6))


def encode(path: Path, codec: str, pix_fmt: str, options: Mapping[str, str], pts: list[int] | None = None) -> Path:
    with av.open(str(path), "w", format=MUXERS.get(path.suffix)) as container:
        stream = container.add_stream(codec, rate=25, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        for i, array in enumerate(numbered_frames()):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            if pts is not None:
                stream.codec_context.time_base = frame.time_base = Fraction(1, 600)
                frame.pts = pts[i]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module", params=list(ENCODINGS))
def encoded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("video") / request.param, *ENCODINGS[request.param])


def test_frames_are_in_order_and_none_is_missing(encoded: Path) -> None:
    info = probe_video(encoded)
    assert (info.frames, info.height, info.width) == (LENGTH, 48, 64)
    assert info.frame_rate == pytest.approx(25, rel=1e-2)
    clip = read_video(encoded)
    assert (clip.shape, clip.dtype) == ((3, LENGTH, 48, 64), torch.uint8)
    assert [number_of(clip[:, t]) for t in range(LENGTH)] == list(range(LENGTH))


def test_any_start_gives_what_reading_from_the_beginning_gives(encoded: Path) -> None:
    clip = read_video(encoded)
    for start in (0, 1, 11, 12, 13, 23, 24, 25, 37, LENGTH - 2):
        assert torch.equal(read_video(encoded, start, 2), clip[:, start : start + 2]), start
    assert torch.equal(read_video(encoded, 5, 4, stride=13), clip[:, 5:45:13])
    assert torch.equal(read_video(encoded, 46), clip[:, 46:])
    for number, frame in zip((2, 30, 49), iter_frames(encoded, (2, 30, 49)), strict=True):
        assert torch.equal(frame, clip[:, number])


def test_seeks_where_the_container_allows_it(tmp_path: Path) -> None:
    index = frame_index(encode(tmp_path / "a.mp4", *ENCODINGS["b_frames.mp4"]))
    assert sorted({index.keyframe_before(frame) for frame in range(LENGTH)}) == [0, 12, 24, 36, 48]


def test_variable_frame_rate_and_strange_names(tmp_path: Path) -> None:
    (tmp_path / "Müller %03d clips").mkdir()
    path = encode(
        tmp_path / "Müller %03d clips" / "a b.mp4", *ENCODINGS["b_frames.mp4"], pts=[i * i for i in range(LENGTH)]
    )
    assert probe_video(path).frame_rate == pytest.approx(600 * 49 / 49**2, rel=1e-3)
    assert [number_of(read_video(path, start, 1)[:, 0]) for start in (0, 13, 30, 49)] == [0, 13, 30, 49]


def test_lossless_colours_are_those_that_were_written(tmp_path: Path) -> None:
    clip = read_video(encode(tmp_path / "a.mkv", *ENCODINGS["lossless.mkv"]))
    assert torch.equal(clip, torch.from_numpy(np.stack(numbered_frames())).permute(3, 0, 1, 2))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize(("matrix", "kr", "kb"), [(6, 0.299, 0.114), (1, 0.2126, 0.0722)])
def test_colours_follow_the_declared_matrix(tmp_path: Path, pix_fmt: str, matrix: int, kr: float, kb: float) -> None:
    y, u, v = 120.0, 90.0, 170.0  # one colour, limited range
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 1
        frame = av.VideoFrame(32, 32, pix_fmt)
        for plane, level in zip(frame.planes, (y, u, v), strict=True):
            deep = pix_fmt.endswith("10le")
            values = np.full(
                plane.buffer_size // (2 if deep else 1), level * (4 if deep else 1), "<u2" if deep else "u1"
            )
            plane.update(values.tobytes())
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    # ITU-R BT.601 and BT.709, inverse of the definition of Y', Cb, Cr in 8-bit limited range.
    luma, blue, red = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    expected = torch.tensor([r, (luma - kr * r - kb * b) / (1 - kr - kb), b]) * 255
    assert (read_video(tmp_path / "a.mkv")[:, 0, 16, 16] - expected).abs().max() <= 1.5


def test_gif_agrees_with_pillow(tmp_path: Path) -> None:
    frames = [Image.fromarray(frame) for frame in numbered_frames()[:9]]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=80, loop=0)
    with Image.open(tmp_path / "a.gif") as gif:
        expected = []
        for t in range(gif.n_frames):
            gif.seek(t)
            expected.append(np.asarray(gif.convert("RGB")))
    clip = read_video(tmp_path / "a.gif")
    assert torch.equal(clip, torch.from_numpy(np.stack(expected)).permute(3, 0, 1, 2))
    assert probe_video(tmp_path / "a.gif").frame_rate == pytest.approx(12.5)


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    playlist = "ffconcat version 1.0\nfile '/etc/hostname'\n"
    for name, content in {"empty.mp4": "", "text.mp4": "not a video\n" * 99, "playlist.mp4": playlist}.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(VideoReadError, match=f"{name}: is (empty|not a video)") as caught:
            read_video(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(VideoReadError, match="No such file"):
        probe_video(tmp_path / "missing.mp4")
    with pytest.raises(VideoReadError, match="is a folder"):
        probe_video(tmp_path)
    (tmp_path / "no_frames.gif").write_bytes(b"GIF89a\x10\x00\x10\x00\x00\x00\x00;")
    with pytest.raises(VideoReadError, match=r"no_frames.gif: "):
        probe_video(tmp_path / "no_frames.gif")


@pytest.mark.parametrize("movflags", ["", "faststart"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated_mp4_is_an_error_not_a_shorter_clip(tmp_path: Path, movflags: str, part: float) -> None:
    codec, pix_fmt, options = ENCODINGS["b_frames.mp4"]
    whole = encode(tmp_path / "whole.mp4", codec, pix_fmt, options).read_bytes()
    if movflags:
        with (
            av.open(str(tmp_path / "whole.mp4")) as source,
            av.open(str(tmp_path / "fast.mp4"), "w", options={"movflags": movflags}) as target,
        ):
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        whole = (tmp_path / "fast.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(VideoReadError, match=r"cut\.mp4: is (truncated|a truncated|damaged)"):
        read_video(tmp_path / "cut.mp4")


def test_more_frames_than_there_are_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "short.mp4"
    write_mp4(torch.zeros(3, 5, 16, 16, dtype=torch.uint8), path, 25)
    with pytest.raises(VideoReadError, match=r"has 5 frames; .* 4 frames, numbers 0 to 6"):
        read_video(path, num_frames=4, stride=2)
    with pytest.raises(VideoReadError, match="has 5 frames"):
        read_video(path, start=5)
    with pytest.raises(ValueError, match="stride >= 1"):
        read_video(path, stride=0)
    with pytest.raises(ValueError, match="strictly increasing"):
        next(iter_frames(path, [2, 1]))


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    for length in (3, 7):
        write_mp4(torch.zeros(1, length, 16, 16, dtype=torch.uint8), path, 10)
        assert probe_video(path).frames == length


def test_real_clips_have_the_listed_number_of_frames(shared_data: Path) -> None:
    # These four MPEG files hold one or two pictures more than duration x frame rate, which is what the list says.
    longer = {
        "Reg_pat1Image_133043": 1,
        "Reg_pat1Image_133138": 2,
        "Reg_pat1Image_133232": 1,
        "Reg_pat2Image_133824": 2,
    }
    with (shared_data / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        listed = {row["path"]: int(row["frames"]) for row in csv.DictReader(file)}
    videos = [path for path in listed if path.endswith((".mp4", ".mov", ".mpeg", ".gif"))]
    assert len(videos) > 30
    for path in videos:
        assert probe_video(shared_data / path).frames == listed[path] + longer.get(Path(path).stem, 0), path


@pytest.mark.parametrize(
    "path", ["ultrasound_video/lung/Pneu_prospective_file3.mp4", "ultrasound_video/lung/Reg_pat1Image_133410.mpeg"]
)
def test_real_clips_read_the_same_from_anywhere(shared_data: Path, path: str) -> None:
    clip = read_video(shared_data / path)
    for start in (1, 51, 100, clip.shape[1] - 1):
        assert torch.equal(read_video(shared_data / path, start, 1), clip[:, start : start + 1])


def test_foreign_container_is_refused_in_one_line(shared_data: Path) -> None:
    with pytest.raises(VideoReadError, match=r"liver_sweep\.imf: is not a video"):
        probe_video(shared_data / "ultrasound_video" / "liver_sweep.imf")


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_frames_are_turned_as_players_turn_them(tmp_path: Path, turns: int) -> None:
    # The matrix of QuickTime, (x, y) -> (a x + c y, b x + d y), that turns clockwise, in its place in the header.
    matrix = {1: (0, 1, -1, 0), 2: (-1, 0, 0, -1), 3: (0, -1, 1, 0)}[turns]
    path = encode(tmp_path / "a.mp4", *ENCODINGS["b_frames.mp4"])
    upright = read_video(path)
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    for place, value in zip((0, 4, 12, 16), matrix, strict=True):
        data[start + place : start + place + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(bytes(data))
    info = probe_video(path)
    assert (info.height, info.width) == ((64, 48) if turns % 2 else (48, 64))
    assert torch.equal(read_video(path), upright.rot90(-turns, (2, 3)))
    assert torch.equal(read_video(path, 30, 2), upright[:, 30:32].rot90(-turns, (2, 3)))


def test_what_is_left_to_viewers_is_remarked(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        for _ in range(2):
            stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for stream in container.streams.video:
            for array in numbered_frames()[:3]:
                frame = av.VideoFrame.from_ndarray(array, format="rgb24").reformat(format="yuv420p")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    said = " ".join(probe_video(tmp_path / "a.mkv").remarks)
    assert "not square (4:3)" in said
    assert "interlaced" in said
    assert "2 streams of pictures" in said
    with pytest.warns(UserWarning, match=r"a\.mkv: its pixels are not square"):
        load_clip(tmp_path / "a.mkv")


def test_what_cannot_be_read_is_told_what_can(tmp_path: Path) -> None:
    for name, said in {"a.bin": "these are read: .mp4", "a.mgz": "NibabelReader takes files that end in .mgz"}.items():
        (tmp_path / name).write_bytes(b"something else" * 9)
        with pytest.raises(VideoReadError, match=said) as caught:
            load_clip(tmp_path / name)
        assert all(ending in str(caught.value) for ending in (*VIDEO_SUFFIXES, *STILL_SUFFIXES, *CLIP_FILE_SUFFIXES))
