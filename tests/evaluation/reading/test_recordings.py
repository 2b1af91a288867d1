# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from evaluation.reading.recordings import FileRecording, PhantomRecording, TileRecording, find_tiles
from monai_feat.data import PhantomDataset, load_clip
from monai_feat.transforms import to_uint8

WriteClips = Callable[..., Path]


def test_a_file_is_known_by_its_content(write_clips: WriteClips) -> None:
    folder = write_clips("clips", 2)
    first, second = sorted(folder.iterdir())
    shutil.copy(first, folder / "copy.mp4")
    recordings = [FileRecording(path, path.name) for path in (first, second, folder / "copy.mp4")]
    assert recordings[0].digest == recordings[2].digest != recordings[1].digest
    assert recordings[0].group == recordings[2].group
    assert FileRecording(first, "a", patient="p7").group == "p7"
    assert recordings[0].codec == "h264"
    assert (recordings[0].frames, recordings[0].frame_rate, recordings[0].size) == (6, 10, (32, 32))


def test_frames_are_those_of_load_clip(write_clips: WriteClips) -> None:
    for folder in (write_clips("a", 1), write_clips("b", 1, kind="frames")):
        (path,) = folder.iterdir()
        frames = torch.stack(list(FileRecording(path, "a").iter_frames([1, 4], (0, 0))), dim=1)
        torch.testing.assert_close(frames, load_clip(path).as_tensor()[:, [1, 4]])


def test_a_folder_of_frames_says_what_it_is(write_clips: WriteClips) -> None:
    (path,) = write_clips("b", 1, kind="frames").iterdir()
    assert FileRecording(path, "a").codec == "png frames"


def grid(rows: int, columns: int, border: int, lead: int) -> tuple[Tensor, list[Tensor]]:
    """A grid of 8 x 6 tiles on black, with `lead` pixels before the first tile."""
    tiles = [torch.randint(1, 255, (3, 8, 6), dtype=torch.uint8) for _ in range(rows * columns)]
    frame = torch.zeros(3, (8 + border) * rows + border, (6 + border) * columns + border, dtype=torch.uint8)
    for number, tile in enumerate(tiles):
        top, left = lead + number // columns * (8 + border), lead + number % columns * (6 + border)
        frame[:, top : top + 8, left : left + 6] = tile
    return frame, tiles


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_stills_are_told_by_how_they_are_stored(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (6, 4)).save(tmp_path / f"a.{suffix}")
    recording = FileRecording(tmp_path / f"a.{suffix}", "a")
    assert (recording.codec, recording.frames) == (f"{suffix} still", 1)


@pytest.mark.parametrize(("border", "lead"), [(0, 0), (1, 0), (1, 1), (2, 2)], ids=["none", "Latte", "one", "two"])
def test_tiles_are_found_as_grids_are_written(border: int, lead: int) -> None:
    frame, tiles = grid(2, 3, border, lead)
    regions = find_tiles(frame, 2, 3, border)
    for (top, left, height, width), tile in zip(regions, tiles, strict=True):
        assert torch.equal(frame[:, top : top + height, left : left + width], tile)


def test_too_many_tiles_are_an_error() -> None:
    with pytest.raises(ValueError, match="too few for 9x9 samples"):
        find_tiles(torch.zeros(3, 8, 8), 9, 9, 0)


def test_tiles_are_recordings(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    frames = [grid(2, 2, 1, 0) for _ in range(3)]
    for t, (frame, _) in enumerate(frames):
        Image.fromarray(frame.permute(1, 2, 0).numpy()).save(folder / f"{t}.png")
    whole = FileRecording(folder, "samples")
    regions = find_tiles(next(whole.iter_frames([0], (0, 0))), 2, 2, 1)
    tiles = [TileRecording(whole, region, number) for number, region in enumerate(regions)]
    assert len({tile.digest for tile in tiles}) == 4
    assert tiles[2].name == "samples#2"
    assert tiles[2].size == (8, 6)
    seen = list(tiles[2].iter_frames([0, 2], (0, 0)))
    assert torch.equal(seen[1], frames[2][1][2])


def test_a_phantom_is_rendered_at_the_size_asked_for() -> None:
    recording = PhantomRecording("ultrasound", seed=3, index=2, frames=4, frame_rate=16.0)
    expected = to_uint8(PhantomDataset("ultrasound", 3, seed=3, size=32, num_frames=4)[2]["image"])
    torch.testing.assert_close(torch.stack(list(recording.iter_frames([0, 3], (32, 32))), 1), expected[:, [0, 3]])
    assert recording.size is None
    assert recording.digest != PhantomRecording("ultrasound", 4, 2, 4, 16.0).digest
