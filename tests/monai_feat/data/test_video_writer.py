# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from monai_feat.data import video_writer
from monai_feat.data.video_reader import probe_video, read_video
from monai_feat.data.video_writer import write_gif, write_mp4


def smooth_clip(channels: int = 3, height: int = 64, width: int = 80) -> Tensor:
    t, rows, columns = np.mgrid[:12, :height, :width]
    waves = [np.sin(columns / 9 + t / 5), np.cos(rows / 7 - t / 7), np.sin((rows + columns) / 13 + t / 3)][:channels]
    return torch.from_numpy(np.stack([128 + 60 * wave for wave in waves]).astype(np.uint8))


def psnr(a: Tensor, b: Tensor) -> float:
    return float(10 * torch.log10(255**2 / (a.double() - b.double()).square().mean()))


@pytest.mark.parametrize("rate", [25.0, 30000 / 1001, 12.5, 19.10307487996731])
def test_mp4_reads_back_nearly_the_same(tmp_path: Path, rate: float) -> None:
    clip = smooth_clip()
    write_mp4(clip, tmp_path / "clip.mp4", rate)
    back, info = read_video(tmp_path / "clip.mp4"), probe_video(tmp_path / "clip.mp4")
    assert (info.frames, info.height, info.width, info.codec) == (12, 64, 80, "h264")
    assert info.frame_rate == pytest.approx(rate, rel=1e-6)
    assert psnr(back, clip) > 38
    assert (back.double() - clip).mean((1, 2, 3)).abs().max() < 0.5


def test_mp4_is_what_every_player_reads(tmp_path: Path) -> None:
    write_mp4(smooth_clip(), tmp_path / "clip.mp4", 25)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        context = container.streams.video[0].codec_context
        # 5 and 6 are the two names of the BT.601 matrix, 1 is limited range.
        assert context.pix_fmt == "yuv420p"
        assert int(context.colorspace) in (5, 6)
        assert int(context.color_range) == 1


def test_grey_stays_grey_and_odd_sizes_repeat_the_border(tmp_path: Path) -> None:
    clip = smooth_clip(1, 63, 65)
    write_mp4(clip, tmp_path / "clip.mp4", 25)
    back = read_video(tmp_path / "clip.mp4")
    assert back.shape == (3, 12, 64, 66)
    assert (back[0].int() - back[1]).abs().max() <= 1
    assert psnr(back[:1, :, :63, :65], clip) > 42
    assert psnr(back[:1, :, 63, :65], clip[:, :, 62]) > 35


def test_grey_gif_is_exact_and_keeps_equal_frames(tmp_path: Path) -> None:
    clip = torch.cat([smooth_clip(1), smooth_clip(1)[:, -1:].expand(-1, 5, -1, -1)], dim=1)
    write_gif(clip, tmp_path / "clip.gif", 10)
    assert torch.equal(read_video(tmp_path / "clip.gif"), clip.expand(3, -1, -1, -1))
    with Image.open(tmp_path / "clip.gif") as gif:
        assert (gif.n_frames, gif.info["duration"], gif.info["loop"]) == (17, 100, 0)
        gif.seek(7)
        assert np.array_equal(np.asarray(gif.convert("L")), clip[0, 7].numpy())


def test_colour_gif_is_close(tmp_path: Path) -> None:
    write_gif(smooth_clip(), tmp_path / "clip.gif", 12.5)
    assert psnr(read_video(tmp_path / "clip.gif"), smooth_clip()) > 25


@pytest.mark.parametrize("write", [write_mp4, write_gif])
def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(
    tmp_path: Path, write: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip"
    path.write_bytes(b"before")

    def full_disk(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(video_writer, "_encode", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(smooth_clip(), path, 10)  # type: ignore[operator]
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("clip", b"before")]


@pytest.mark.parametrize("write", [write_mp4, write_gif])
def test_wrong_clips_are_refused(tmp_path: Path, write: object) -> None:
    with pytest.raises(TypeError, match=r"float32.*to_uint8"):
        write(torch.zeros(3, 2, 8, 8), tmp_path / "a", 10)  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"C = 1 or 3, got \(2, 2, 8, 8\)"):
        write(torch.zeros(2, 2, 8, 8, dtype=torch.uint8), tmp_path / "a", 10)  # type: ignore[operator]
    with pytest.raises(ValueError, match="above 0 Hz"):
        write(torch.zeros(3, 2, 8, 8, dtype=torch.uint8), tmp_path / "a", 0)  # type: ignore[operator]
    assert not list(tmp_path.iterdir())


def test_gif_faster_than_viewers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most 50 Hz"):
        write_gif(smooth_clip(), tmp_path / "a.gif", 60)
