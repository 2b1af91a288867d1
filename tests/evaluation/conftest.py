# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of small clips, for the tests of the command and its parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from monai_feat.data import write_mp4


def noise_clip(seed: int, frames: int = 6, size: tuple[int, int] = (32, 32), channels: int = 3) -> Tensor:
    """A smooth random clip ``(C, T, H, W)`` that video codecs keep about as it is; grey where channels are equal."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, channels, 3, 4, 4, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (frames, *size), mode="trilinear", align_corners=False)
    return (255 * fine[0]).to(torch.uint8)


@pytest.fixture
def write_clips(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``count`` mp4 files, or folders of png frames, into a folder and returns it."""

    def write(
        name: str,
        count: int,
        first: int = 0,
        frames: int = 6,
        size: tuple[int, int] = (32, 32),
        rate: float = 10,
        kind: str = "mp4",
        grey: bool = False,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + count):
            clip = noise_clip(seed, frames, size, 1 if grey else 3).expand(3, -1, -1, -1)
            if kind == "mp4":
                write_mp4(clip, folder / f"p{seed % 4}_{seed}.mp4", frame_rate=rate)
                continue
            (folder / f"clip{seed}").mkdir()
            for t in range(frames):
                frame = clip[:, t].permute(1, 2, 0).numpy()
                Image.fromarray(frame).save(folder / f"clip{seed}" / f"{t:03}.png")
        return folder

    return write
