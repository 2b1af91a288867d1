# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that the ffmpeg program writes, read here and by itself; and files written here, read by it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from monai_feat.data import VideoReadError, load_clip, probe_video, write_gif, write_mp4

FFMPEG = shutil.which("ffmpeg")
pytestmark = pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program on the path")

FRAMES, ROWS, COLUMNS, RATE = 24, 48, 64, 12
ENCODINGS = {
    "a.mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p"],
    "a.mov": ["-c:v", "mpeg4", "-q:v", "2"],
    "a.mkv": ["-c:v", "ffv1"],
    "a.avi": ["-c:v", "mjpeg", "-q:v", "2"],
    "a.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime"],
    "a.gif": [],
}


def ffmpeg(*arguments: str | Path) -> bytes:
    command = [str(FFMPEG), "-nostdin", "-loglevel", "error", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def decoded(path: Path) -> torch.Tensor:
    """All frames of a file as the program decodes them, ``(3, T, H, W)``."""
    raw = ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-sws_flags", "accurate_rnd+full_chroma_int", "-")
    return torch.from_numpy(np.frombuffer(raw, np.uint8).copy()).reshape(-1, ROWS, COLUMNS, 3).permute(3, 0, 1, 2)


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_the_program_writes_is_what_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    # Without colour, whose half resolution either side may enlarge by a filter of its own.
    source = f"testsrc2=size={COLUMNS}x{ROWS}:rate={RATE}:duration={FRAMES / RATE},hue=s=0"
    ffmpeg("-f", "lavfi", "-i", source, *ENCODINGS[name], path)
    clip, expected = load_clip(path).as_tensor(), decoded(path)
    assert clip.shape == expected.shape == (3, FRAMES, ROWS, COLUMNS)
    assert probe_video(path).frame_rate == pytest.approx(RATE, rel=0.05)  # gif times frames in hundredths of a second
    difference = (clip.float() - expected.float()).abs().mean((0, 2, 3))  # (T,)
    from_neighbour = (clip[:, 1:].float() - expected[:, :-1].float()).abs().mean()
    assert difference.max() < 1
    assert difference.mean() < from_neighbour


def test_what_is_written_here_the_program_reads(tmp_path: Path) -> None:
    ramp = torch.arange(FRAMES, dtype=torch.uint8)[:, None, None] * 4 + torch.arange(COLUMNS, dtype=torch.uint8)
    clip = ramp.expand(1, FRAMES, ROWS, COLUMNS).contiguous()
    write_gif(clip, tmp_path / "a.gif", RATE)
    write_mp4(clip, tmp_path / "a.mp4", RATE)
    assert torch.equal(decoded(tmp_path / "a.gif")[:1], clip)
    assert (decoded(tmp_path / "a.mp4")[:1].float() - clip.float()).abs().max() <= 3


def test_a_file_that_the_program_refuses_is_refused(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={COLUMNS}x{ROWS}:rate={RATE}:duration=1", tmp_path / "whole.mp4")
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "whole.mp4").read_bytes()[:2000])
    with pytest.raises(subprocess.CalledProcessError):
        decoded(tmp_path / "cut.mp4")
    with pytest.raises(VideoReadError, match=r"cut\.mp4"):
        load_clip(tmp_path / "cut.mp4")
