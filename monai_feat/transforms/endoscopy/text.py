# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines of near-white text over a picture, found by how regularly their characters stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import footprint_rectangle, white_tophat

from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["find_text"]

_Mask = npt.NDArray[np.bool_]
_Levels = npt.NDArray[np.float32]

# Levels by which strokes stand out from what is around them: faint text on bright tissue is lost at the last,
# text among highlights and vessels runs together with them at the first.
_CONTRASTS = (30, 60, 100)
# Heights of characters, in frame heights; below 5 pixels text cannot be told from texture.
_LOWEST, _TALLEST = 0.01, 0.06
_FEWEST_PIXELS = 5
# A line on its own needs this many characters: by chance, so many highlights hardly stand in a row.
_FEWEST_CHARACTERS = 4
# Shorter lines belong to a block of text that ends less than this many character heights away.
_LINE_SPACING = 6.0


class _Glyph(NamedTuple):
    """Box of one character, or of some that touch."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top


_Line = list[_Glyph]


class _Text(NamedTuple):
    box: _Glyph
    height: float  # of its characters
    confidence: float
    long_line: _Glyph  # that it belongs to, or is


def find_text(levels: _Levels) -> list[tuple[Box, float]]:
    """Find lines of text that stay in place in all frames.

    A line has at least four characters of like height on one level. Around such lines, shorter ones of the same
    height are taken as well: text comes in blocks.

    Args:
        levels: ``(C, T, H, W)`` in [0, 255].

    Returns:
        Boxes ``(top, left, bottom, right)`` with confidences in [0, 1]: how equal the heights and how level the feet
        of the characters are, more with more characters; short lines have that of their block.
    """
    # The darkest channel of the darkest frame: what is white, and there all the time.
    whiteness = levels.min(0).min(0)  # (H, W)
    side = max(3, round(_TALLEST * whiteness.shape[0] / 2))
    relief = white_tophat(whiteness, footprint_rectangle((side, side), decomposition="separable"))
    found = [text for contrast in _CONTRASTS for text in _texts(_glyphs(relief > contrast))]
    height, width = whiteness.shape
    return [(_padded(text, height, width), text.confidence) for text in _merged(found)]


def _padded(text: _Text, height: int, width: int) -> Box:
    pad = max(1, round(0.25 * text.height))
    top, left, bottom, right = text.box
    return max(0, top - pad), max(0, left - pad), min(height, bottom + pad), min(width, right + pad)


def _glyphs(strokes: _Mask) -> list[_Glyph]:
    lowest = max(_FEWEST_PIXELS, _LOWEST * strokes.shape[0])
    tallest = max(lowest, _TALLEST * strokes.shape[0])
    boxes = ndimage.find_objects(label(strokes, connectivity=2))
    glyphs = [_Glyph(rows.start, columns.start, rows.stop, columns.stop) for rows, columns in boxes]
    # Narrow fonts at low resolution run together: up to four characters in one piece.
    return [g for g in glyphs if lowest <= g.height <= tallest and g.right - g.left <= 4 * g.height]


def _texts(glyphs: Sequence[_Glyph]) -> list[_Text]:
    """Long lines, then, as long as there are any, the short ones beside them."""
    strict = [line for line in _lines(glyphs, 0.15, 0.15, 1.5) if len(line) >= _FEWEST_CHARACTERS]
    texts = [_Text(_around(line), _height(line), _regularity(line), _around(line)) for line in strict]
    waiting = [line for line in _lines(glyphs, 0.25, 0.6, 2.5) if len(line) >= 2]
    grew = True
    while grew:
        grew = False
        for line in list(waiting):
            if block := next((text for text in texts if _belongs(line, text)), None):
                texts.append(block._replace(box=_around(line)))
                waiting.remove(line)
                grew = True
    return texts


def _lines(glyphs: Sequence[_Glyph], foot: float, head: float, gap: float) -> list[_Line]:
    """Chains of glyphs, each near the next to its right, whose feet and heads differ by these shares of the height."""
    lines: list[_Line] = []
    growing: list[_Line] = []
    for glyph in sorted(glyphs, key=lambda g: g.left):
        growing = [line for line in growing if glyph.left - line[-1].right <= gap * line[-1].height]
        for line in growing:
            last, height = line[-1], line[-1].height
            apart = glyph.left - last.right >= -max(1.0, foot * height)
            on_foot = abs(glyph.bottom - last.bottom) <= max(1.0, foot * height)
            if apart and on_foot and abs(glyph.top - last.top) <= max(1.0, head * height):
                line.append(glyph)
                break
        else:
            growing.append([glyph])
            lines.append(growing[-1])
    return lines


def _around(boxes: Iterable[_Glyph]) -> _Glyph:
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return _Glyph(min(tops), min(lefts), max(bottoms), max(rights))


def _height(line: _Line) -> float:
    return float(np.median([glyph.height for glyph in line]))


def _regularity(line: _Line) -> float:
    """1 where many characters have one head and one foot, 0.6 for four; less as heads and feet vary."""
    tops, bottoms = np.array([g.top for g in line]), np.array([g.bottom for g in line])
    ragged = (tops.std() + bottoms.std()) / _height(line)
    return float(max(0.0, 1 - 2 * ragged) * (1 - 0.4 * 2.0 ** (_FEWEST_CHARACTERS - len(line))))


def _belongs(line: _Line, text: _Text) -> bool:
    box, reach = _around(line), _LINE_SPACING * text.height
    alike = 0.7 <= _height(line) / text.height <= 1.4
    near = box.top - text.box.bottom <= reach and text.box.top - box.bottom <= reach
    # A block grows downwards and upwards only: sideways, it would hop from highlight to highlight.
    beside = text.long_line.left - 2 * text.height <= box.left <= text.long_line.right + reach
    return alike and near and beside


def _merged(texts: Sequence[_Text]) -> list[_Text]:
    """Join what overlaps: the same line at another contrast, or a part of it."""
    merged: list[_Text] = []
    for text in sorted(texts, key=lambda t: -t.confidence):
        for i, other in enumerate(merged):
            if _same_line(text.box, other.box):
                merged[i] = other._replace(box=_around([text.box, other.box]))
                break
        else:
            merged.append(text)
    return merged


def _same_line(a: _Glyph, b: _Glyph) -> bool:
    shared = min(a.bottom, b.bottom) - max(a.top, b.top)
    return shared >= 0.5 * min(a.height, b.height) and a.left < b.right and b.left < a.right
