# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture that shows what many clips look like: rows are clips, columns are frames."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from monai_feat.files import replacing
from monai_feat.transforms.functional import to_uint8
from monai_feat.visualize.outline import draw_outlines

__all__ = ["contact_sheet", "save_contact_sheet"]

_INK, _FAINT, _RULE = (32, 33, 36), (128, 134, 139), (218, 220, 224)
_MARGIN, _GAP, _ROW_GAP, _TITLE_HEIGHT, _SECTION_GAP = 28, 4, 8, 46, 22


def contact_sheet(
    rows: Mapping[str, Tensor],
    num_columns: int = 8,
    tile: int = 128,
    masks: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Lay out clips in titled sections on white, evenly spaced frames from left to right.

    Clips of a single frame (stills) are set side by side instead.

    Args:
        rows: title of each section and its clips, ``(N, C, T, H, W)`` or one clip ``(C, T, H, W)``; uint8 in [0, 255]
            or float in [-1, 1]; C = 3 (RGB) or 1 (grey). Sections may differ in number, length and size of clips.
        num_columns: frames shown of each clip, at most.
        tile: width in pixels to which frames are enlarged or reduced.
        masks: classes to outline in the clips of a section, whole numbers ``(N, 1, T, H, W)`` or ``(1, T, H, W)``.

    Returns:
        uint8 tensor ``(H, W, 3)``.

    Raises:
        ValueError: there are no clips, a section's shape is not as described, or masks do not fit their clips.
    """
    if not rows:
        raise ValueError("expected at least one section of clips, got none")
    if num_columns < 1 or tile < 8:
        raise ValueError(f"expected num_columns >= 1 and tile >= 8, got {num_columns} and {tile}")
    outlined = masks or {}
    if unknown := outlined.keys() - rows.keys():
        raise ValueError(f"there are masks, but no clips, for {sorted(unknown)}; sections are {sorted(rows)}")
    sections = [_section(title, clips, outlined.get(title), num_columns, tile) for title, clips in rows.items()]
    width = 2 * _MARGIN + max(section.width for section in sections)
    height = 2 * _MARGIN + sum(section.height for section in sections) + _SECTION_GAP * (len(sections) - 1)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    top = _MARGIN
    for section in sections:
        section.draw(sheet, draw, top)
        top += section.height + _SECTION_GAP
    return torch.from_numpy(np.array(sheet))


def save_contact_sheet(
    rows: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    num_columns: int = 8,
    tile: int = 128,
    masks: Mapping[str, Tensor] | None = None,
) -> None:
    """Write `contact_sheet` as a PNG; the arguments and errors are the same."""
    sheet = contact_sheet(rows, num_columns, tile, masks)
    with replacing(path) as file:
        Image.fromarray(sheet.numpy()).save(file, format="PNG")


@dataclass(frozen=True)
class _Section:
    """A title, a remark beside it, and a grid of pictures of one size."""

    title: str
    remark: str
    grid: Sequence[Sequence[Image.Image]]

    @property
    def width(self) -> int:
        columns = max(len(row) for row in self.grid)
        pictures = columns * self.grid[0][0].width + (columns - 1) * _GAP
        return max(pictures, round(_font(19, bold=True).getlength(self.title) + _font(13).getlength(self.remark)) + 16)

    @property
    def height(self) -> int:
        return _TITLE_HEIGHT + len(self.grid) * (self.grid[0][0].height + _ROW_GAP) - _ROW_GAP

    def draw(self, sheet: Image.Image, draw: ImageDraw.ImageDraw, top: int) -> None:
        right, baseline = sheet.width - _MARGIN, top + 24
        draw.text((_MARGIN, baseline), self.title, fill=_INK, font=_font(19, bold=True), anchor="ls")
        draw.text((right, baseline), self.remark, fill=_FAINT, font=_font(13), anchor="rs")
        draw.line((_MARGIN, top + 34, right - 1, top + 34), fill=_RULE)
        for i, row in enumerate(self.grid):
            for j, picture in enumerate(row):
                left = _MARGIN + j * (picture.width + _GAP)
                sheet.paste(picture, (left, top + _TITLE_HEIGHT + i * (picture.height + _ROW_GAP)))


def _section(title: str, clips: Tensor, masks: Tensor | None, num_columns: int, tile: int) -> _Section:
    batch = clips[None] if clips.ndim == 4 else clips
    if batch.ndim != 5 or batch.shape[1] not in (1, 3) or 0 in batch.shape:
        shape = tuple(clips.shape)
        raise ValueError(f"section {title!r}: expected (N, C, T, H, W) or (C, T, H, W) with C = 1 or 3, got {shape}")
    batch = batch.detach().cpu()
    pixels = batch if batch.dtype == torch.uint8 else to_uint8(batch)
    count, _, length, height, width = pixels.shape
    numbers = np.linspace(0, length - 1, min(num_columns, length)).round().astype(int)
    frames = pixels[:, :, numbers].expand(-1, 3, -1, -1, -1).permute(0, 2, 3, 4, 1)  # (N, columns, H, W, 3)
    remark = f"{width} × {height} px"
    if len(numbers) < length:
        remark = f"frames {', '.join(str(number + 1) for number in numbers)} of {length}  ·  {remark}"
    pictures = [[_enlarge(frame.numpy(), tile) for frame in row] for row in frames]
    if masks is not None:
        classes = _classes_of(title, masks, pixels)[:, 0, numbers]  # (N, columns, H, W)
        pictures = [list(map(_outlined, row, marks.numpy())) for row, marks in zip(pictures, classes, strict=True)]
    if length == 1:
        stills = [row[0] for row in pictures]
        pictures = [stills[i : i + num_columns] for i in range(0, count, num_columns)]
    return _Section(title, remark, pictures)


def _enlarge(frame: npt.NDArray[np.uint8], tile: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(frame))
    size = (tile, max(1, round(tile * image.height / image.width)))
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _classes_of(title: str, masks: Tensor, clips: Tensor) -> Tensor:
    batch = masks[None] if masks.ndim == 4 else masks
    if batch.is_floating_point() or batch.shape != (len(clips), 1, *clips.shape[2:]):
        raise ValueError(
            f"section {title!r}: expected masks of whole numbers {(len(clips), 1, *clips.shape[2:])}, got "
            f"{masks.dtype} {tuple(masks.shape)}"
        )
    return batch.detach().cpu().to(torch.uint8)


def _outlined(picture: Image.Image, classes: npt.NDArray[np.uint8]) -> Image.Image:
    enlarged = Image.fromarray(np.ascontiguousarray(classes)).resize(picture.size, Image.Resampling.NEAREST)
    return Image.fromarray(draw_outlines(np.array(picture), np.array(enlarged)))


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
