# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from monai_feat.data import ClipFolderDataset, VideoReadError, clip_reading, write_gif


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(6):
        write_gif(torch.full((1, 4, 16, 16), 40 * i, dtype=torch.uint8), tmp_path / f"{i}.gif", 10)
    return tmp_path


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_reading, "_processes", lambda _num_files: 2)


def mark_process(clip: Tensor) -> Tensor:
    """Paint the first pixel white in a process that another has started, so that a test sees who prepared a clip."""
    clip[..., :1] = 255 * (multiprocessing.parent_process() is not None)
    return clip


def fail_on_bright(clip: Tensor) -> Tensor:
    if clip.max() > 100:
        raise FloatingPointError("too bright")
    return clip


def clips_of(folder: Path, **options: object) -> list[Tensor]:
    clips = ClipFolderDataset(folder, num_frames=2, size=16, channels=1, progress=False, **options)  # type: ignore[arg-type]
    return [clips[i]["image"] for i in range(len(clips))]


@pytest.mark.usefixtures("two_processes")
def test_processes_read_the_same_in_the_same_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = clips_of(folder)
    marked = clips_of(folder, preprocessing=mark_process)
    monkeypatch.setattr(clip_reading, "_processes", lambda _num_files: 1)
    alone = clips_of(folder)
    assert all(torch.equal(one, other) for one, other in zip(together, alone, strict=True))
    assert all(clip[0, 0, 0, 0] == 1 for clip in marked)
    assert all(clip[0, 0, 0, 0] == -1 for clip in clips_of(folder, preprocessing=mark_process))  # by this process


@pytest.mark.usefixtures("two_processes")
def test_errors_come_through_and_name_the_file(folder: Path) -> None:
    with pytest.raises(RuntimeError, match=r"3\.gif: preprocessing of .* failed: too bright"):
        clips_of(folder, preprocessing=fail_on_bright)
    (folder / "2.gif").write_bytes((folder / "2.gif").read_bytes()[:60])
    with pytest.raises(VideoReadError, match=r"2\.gif"):
        clips_of(folder)


def test_a_bad_last_file_ends_the_work_before_the_first_is_decoded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_gif(torch.zeros(1, 1, 16, 16, dtype=torch.uint8), folder / "9.gif", 10)
    monkeypatch.setattr(clip_reading.ClipReader, "read", lambda _self, plan: pytest.fail(f"decoded {plan.path}"))
    with pytest.raises(VideoReadError, match=r"9\.gif: has 1 frames; 2 are needed"):
        clips_of(folder)


@pytest.mark.parametrize(("files", "cores", "expected"), [(7, 4, 0), (16, 4, 2), (450, 2, 2), (450, 1, 1)])
def test_a_process_for_each_core_where_there_is_work(
    files: int, cores: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(cores)), raising=False)
    assert clip_reading._processes(files) == expected
