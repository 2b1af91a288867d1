# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Rendered clips with fields of view, writing and highlights of known place."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from monai_feat.data.phantoms.clip import frame_times, pixel_grid, to_uint8
from monai_feat.data.phantoms.endoscopy import render_tunnel
from monai_feat.data.phantoms.tunnel import draw_tunnel

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"


def tissue(seed: int, size: tuple[int, int] = (96, 96), frames: int = 3, wet: bool = True) -> Tensor:
    """A tunnel that fills the frame, uint8 ``(3, T, H, W)``; without `wet` it has no highlight."""
    scene = replace(draw_tunnel(np.random.default_rng([0, seed]), 0.0), corner_cut=-10.0)
    if not wet:
        texture = scene.texture.clone()
        texture[2] = -10
        scene = replace(scene, texture=texture)
    return to_uint8(render_tunnel(scene, *size, frame_times(frames, 4.0))[0])


def aperture(shape: str, size: tuple[int, int]) -> Tensor:
    """Truth of a field of view, boolean ``(H, W)``."""
    x, y = pixel_grid(*size)
    if shape == "octagon":
        return (x.abs() <= 0.95) & (y.abs() <= 0.9) & (x.abs() + y.abs() <= 1.45)
    if shape == "disc":
        return (x - 0.05) ** 2 + (y + 0.02) ** 2 <= 0.85**2
    if shape == "cut disc":
        return (x**2 + y**2 <= 1.1**2) & (y.abs() <= 0.9)
    return (x > -0.8) & (x < 0.9) & (y.abs() < 0.7)


def seen_through(clip: Tensor, mask: Tensor, black: int = 0) -> Tensor:
    """The clip inside the mask, noise around a black level outside."""
    surround = torch.randint(0, 7, clip.shape, dtype=torch.uint8) + black
    return torch.where(mask, clip.clamp(min=black), surround)


def iou(a: Tensor, b: Tensor) -> float:
    return float((a & b).sum() / (a | b).sum())


def write(clip: Tensor, lines: list[str], at: tuple[int, int], height: int) -> tuple[Tensor, Tensor]:
    """Near-white text in all frames; also the truth of its pixels, boolean ``(H, W)``. `at` is (top, left)."""
    layer = Image.new("L", (clip.shape[-1], clip.shape[-2]), 0)
    ImageDraw.Draw(layer).multiline_text(at[::-1], "\n".join(lines), fill=255, font=ImageFont.truetype(FONT, height))
    share = torch.from_numpy(np.array(layer)).float() / 255
    return (clip + (235 - clip.float()) * share).round().to(torch.uint8), share > 0.5


def glints(clip: Tensor, number: int, seed: int) -> tuple[Tensor, Tensor]:
    """White ellipses of 2 to 4 pixels radius; also their truth, boolean ``(T, H, W)``, at half coverage."""
    rng = np.random.default_rng(seed)
    _, frames, height, width = clip.shape
    fine_y, fine_x = torch.meshgrid(
        (torch.arange(4 * height) + 0.5) / 4, (torch.arange(4 * width) + 0.5) / 4, indexing="ij"
    )
    share = torch.zeros(frames, height, width)
    for t in range(frames):
        covered = torch.zeros(4 * height, 4 * width)
        for _ in range(number):
            y, x = rng.uniform(8, height - 8), rng.uniform(8, width - 8)
            a, b = rng.uniform(2, 4, 2)
            covered[((fine_y - y) / a) ** 2 + ((fine_x - x) / b) ** 2 <= 1] = 1
        share[t] = F.avg_pool2d(covered[None], 4)[0]
    return (clip + (250 - clip.float()) * share).round().to(torch.uint8), share >= 0.5


@pytest.fixture(scope="session")
def scenes() -> ModuleType:
    """This module: test files are imported each on their own and cannot import one another."""
    return sys.modules[__name__]
