# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures against what was written, pixel by pixel; animations against the pictures they were made of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from monai_feat.data.limits import reading_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.load import load_clip, open_clip
from monai_feat.data.readers.still import StillFile, is_still

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
LOSSLESS: dict[str, dict[str, Any]] = {
    ".png": {},
    ".bmp": {},
    ".tif": {},
    ".webp": {"lossless": True},
    ".jp2": {"irreversible": False},
    ".ppm": {},
}


def colours() -> np.ndarray:
    rows, columns = np.mgrid[:31, :45]
    return np.stack([5 * columns, 8 * rows, 255 - 4 * rows], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("suffix", [*LOSSLESS, ".jpg"])
def test_stills_are_clips_of_one_frame_whatever_their_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"still 100%{suffix}"
    Image.fromarray(colours()).save(path, **LOSSLESS.get(suffix, {"quality": 98, "subsampling": 0}))
    clip = open_clip(path.rename(path.with_suffix(".bin")))
    assert isinstance(clip, StillFile)
    assert (clip.frames, clip.frame_rate, clip.size, clip.is_lossy) == (1, 0.0, (31, 45), suffix == ".jpg")
    difference = (clip.read()[:, 0].int() - torch.from_numpy(colours()).permute(2, 0, 1)).abs().max()
    assert difference <= (3 if suffix == ".jpg" else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_pictures_are_turned_as_viewers_turn_them(tmp_path: Path, orientation: int, suffix: str) -> None:
    # EXIF 2.32, 4.6.4, Orientation: where the 0th row and the 0th column of the stored picture are shown.
    upright = torch.from_numpy(np.kron(np.array([[0, 60], [120, 180], [240, 20]], np.uint8), np.ones((8, 8), np.uint8)))
    stored = {
        1: lambda x: x,
        2: lambda x: x.flip(1),
        3: lambda x: x.flip(0, 1),
        4: lambda x: x.flip(0),
        5: lambda x: x.T,
        6: lambda x: x.rot90(1),
        7: lambda x: x.rot90(2).T,
        8: lambda x: x.rot90(-1),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {".webp": {"lossless": True}, ".jpg": {"quality": 100}, ".avif": {"quality": 100}}.get(suffix, {})
    Image.fromarray(np.array(stored)).save(tmp_path / f"a{suffix}", exif=exif, **options)
    clip = open_clip(tmp_path / f"a{suffix}")
    assert clip.size == (24, 16)
    assert (clip.read()[0, 0].int() - upright.int()).abs().max() <= 2


@pytest.mark.parametrize(("name", "turns"), [("exif180/images/c1/0000.jpg", 2), ("exif6.jpg", -1)])
def test_turned_pictures_of_the_reports(cases: Path, name: str, turns: int) -> None:
    with Image.open(cases / "masks" / name) as file:
        expected = np.rot90(np.asarray(file), turns)
    np.testing.assert_array_equal(load_clip(cases / "masks" / name)[:, 0].permute(1, 2, 0), expected)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jp2", ".pgm"])
def test_sixteen_bits_are_reduced_from_their_full_range(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / f"deep{suffix}")
    assert torch.equal(load_clip(tmp_path / f"deep{suffix}").as_tensor()[0, 0], torch.from_numpy(RAMP))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_fewer_bits_in_sixteen_are_refused_unless_the_file_says_how_many(tmp_path: Path, bits: int) -> None:
    levels = (RAMP.astype(np.uint16) << (bits - 8)) + (RAMP >> (16 - bits))
    Image.fromarray(levels).save(tmp_path / "a.png")
    with pytest.raises(VideoReadError, match=rf"a\.png: has 16 bits .* up to {2**bits - 1} only"):
        load_clip(tmp_path / "a.png")
    Image.fromarray(levels).save(tmp_path / "a.tif", tiffinfo={281: 2**bits - 1})
    assert (load_clip(tmp_path / "a.tif").as_tensor()[0, 0].int() - torch.from_numpy(RAMP)).abs().max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif"])
def test_animations_are_clips(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(np.roll(colours(), 3 * t, axis=1)) for t in range(7)]
    options = {".webp": {"lossless": True}, ".avif": {"quality": 100, "subsampling": "4:4:4"}}.get(suffix, {})
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], duration=50, loop=0, **options)
    clip = open_clip(tmp_path / f"a{suffix}")
    assert (clip.frames, clip.frame_rate) == (7, pytest.approx(20))
    whole = clip.read()
    for t, frame in enumerate(frames):
        difference = np.abs(whole[:, t].permute(1, 2, 0).numpy().astype(int) - np.asarray(frame))
        assert difference.max() <= (4 if suffix == ".avif" else 0)
        assert torch.equal(clip.read(t, 1)[:, 0], whole[:, t])


def test_the_default_picture_of_an_apng_is_no_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), (40 * t, 0, 0)) for t in range(4)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=50, default_image=True)
    assert load_clip(tmp_path / "a.png")[0, :, 0, 0].tolist() == [40, 80, 120]


def test_of_an_mpo_file_the_first_picture_is_read(tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (8, 8), (level, 0, 0)) for level in (200, 20))
    first.save(tmp_path / "a.mpo", save_all=True, append_images=[second])
    assert load_clip(tmp_path / "a.mpo").shape == (3, 1, 8, 8)
    assert load_clip(tmp_path / "a.mpo")[0].min() > 190


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    Image.fromarray(colours()).save(tmp_path / "a.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:500])
    (tmp_path / "head.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.fromarray(colours()).save(tmp_path / "a.avif")
    (tmp_path / "a.heic").write_bytes((tmp_path / "a.avif").read_bytes().replace(b"avif", b"heic"))
    for name in ("cut.jpg", "head.png", "a.heic"):
        with pytest.raises(VideoReadError, match=f"{name}: is ") as caught:
            load_clip(tmp_path / name)
        assert "\n" not in str(caught.value)
    with reading_limits(frame_pixels=31 * 45 - 1), pytest.raises(VideoReadError, match="claims frames of 31 x 45"):
        load_clip(tmp_path / "a.jpg")
    assert not is_still(tmp_path / "none.png")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(VideoReadError, match=r"pipe\.png: is a pipe, a socket or a device"):
        load_clip(tmp_path / "pipe.png")
