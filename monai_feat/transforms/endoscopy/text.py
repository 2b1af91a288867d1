# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines of near-white text over a picture, found by how regularly their characters stand.

On tissue that the light has burnt to pure white, the same text is darker than what is around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["find_text"]

_Mask = npt.NDArray[np.bool_]
_Levels = npt.NDArray[np.float32]

# Levels by which strokes stand out from what is around them: faint text on bright tissue is lost at the last,
# text among highlights and vessels runs together with them at the first.
_CONTRASTS = (18, 30, 60, 100)
# Levels from which tissue counts as burnt out, and by which grey text is darker than it.
_BURNT_OUT, _DARKER = 250, 14
# Heights of characters, in frame heights; below 5 pixels text cannot be told from texture.
_LOWEST, _TALLEST = 0.01, 0.06
_FEWEST_PIXELS = 5
# A line on its own needs this many characters: by chance, so many highlights hardly stand in a row.
_FEWEST_CHARACTERS = 4
# Two lines of this many will do where one stands close above the other and both are of one height.
_FEWEST_IN_A_BLOCK = 3
# Shorter lines belong to a long one less than this many character heights away where both begin in one column; others
# must stand in one of the next two rows. A single character must be near, and stand where the block's lines begin.
_SIDE_SPACING = 6.0  # to the right of the long line, and before and behind it for single characters
_LINE_SPACING, _ROW_SPACING, _CHARACTER_SPACING = 10.0, 4.0, 2.0
# Dots, colons and cut characters belong to a line that ends less than this many character heights away.
_MARK_SPACING = 0.8
# By so many character heights a line grows with them at each end.
_MOST_MARKS = 2.0


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

    A line has at least four characters of like height on one level, or three above three. Around such lines, shorter
    ones of the same height are taken as well, at any contrast: text comes in blocks.

    Args:
        levels: ``(C, T, H, W)`` in [0, 255].

    Returns:
        Boxes ``(top, left, bottom, right)`` with confidences in [0, 1]: how equal the heights and how level the feet
        of the characters are, more with more characters; short lines have that of their block.
    """
    height, width = levels.shape[-2:]
    texts = _texts([_pieces(strokes) for strokes in _strokes(levels)], height)
    return [(_padded(text, height, width), text.confidence) for text in _merged(texts)]


def _strokes(levels: _Levels) -> Iterator[_Mask]:
    """What may be strokes of text, boolean ``(H, W)``: white ones for each contrast, then those on burnt-out tissue."""
    channels = np.rint(levels.min(0)).astype(np.uint8)  # (T, H, W), the darkest channel: what is white
    whiteness = channels.min(0)  # all the time
    side = max(3, round(_TALLEST * whiteness.shape[0] / 2)) | 1
    relief = ndimage.white_tophat(whiteness, size=(side, side))
    yield from (relief > contrast for contrast in _CONTRASTS)
    yield _dark_strokes(channels.max(0), side)


def _dark_strokes(lightest: npt.NDArray[np.uint8], side: int) -> _Mask:
    """Strokes ``(H, W)`` that are always darker than the burnt-out tissue around them."""
    if not (lightest >= _BURNT_OUT).any():
        return np.zeros(lightest.shape, bool)
    closed = ndimage.grey_closing(lightest, size=(side, side))
    dark: _Mask = (closed >= _BURNT_OUT) & (closed - lightest > _DARKER)
    return dark


def _padded(text: _Text, height: int, width: int) -> Box:
    pad = max(1, round(0.25 * text.height))
    top, left, bottom, right = text.box
    return max(0, top - pad), max(0, left - pad), min(height, bottom + pad), min(width, right + pad)


def _pieces(strokes: _Mask) -> list[_Glyph]:
    """Boxes of what hangs together."""
    numbered, _ = ndimage.label(strokes, structure=np.ones((3, 3)))
    boxes = ndimage.find_objects(numbered)
    return [_Glyph(rows.start, columns.start, rows.stop, columns.stop) for rows, columns in boxes]


def _texts(layers: Sequence[Sequence[_Glyph]], frame_height: int) -> list[_Text]:
    """Long lines, and the short ones beside them, each at whatever contrast it is seen."""
    lowest = max(_FEWEST_PIXELS, _LOWEST * frame_height)
    tallest = max(lowest, _TALLEST * frame_height)
    # Narrow fonts at low resolution run together: up to four characters in one piece.
    glyphs = [[g for g in layer if lowest <= g.height <= tallest and g.right - g.left <= 4 * g.height]
              for layer in layers]  # fmt: skip
    texts = _long_lines([line for layer in glyphs for line in _lines(layer, 0.15, 0.15, 1.5)])
    if texts:
        texts = _grown(texts, [line for layer in glyphs for line in _lines(layer, 0.25, 0.6, 2.5)])
    pieces = [piece for layer in layers for piece in layer]
    return [text._replace(box=_with_marks(text, pieces)) for text in texts]


def _long_lines(lines: Sequence[_Line]) -> list[_Text]:
    """Lines of enough characters, alone or with one above or below, the surest first."""
    lines = [line for line in lines if len(line) >= _FEWEST_IN_A_BLOCK]
    texts = []
    for line in lines:
        number = len(line) + max((len(other) for other in lines if _stacked(line, other)), default=0)
        if number >= _FEWEST_CHARACTERS:
            texts.append(_Text(_around(line), _height(line), _regularity(line, number), _around(line)))
    return sorted(texts, key=lambda text: -text.confidence)


def _grown(texts: Sequence[_Text], waiting: Sequence[_Line]) -> list[_Text]:
    """Long lines, and, as long as there are any, the short ones beside them."""
    texts, waiting = list(texts), list(waiting)
    grew = True
    while grew:
        grew = False
        for line in list(waiting):
            if block := next((text for text in texts if _belongs(line, text)), None):
                texts.append(block._replace(box=_around(line)))
                waiting.remove(line)
                grew = True
    return texts


def _with_marks(text: _Text, pieces: Sequence[_Glyph]) -> _Glyph:
    """The box of a line with the dots, colons and cut characters at its ends."""
    box, reach = text.box, _MARK_SPACING * text.height
    first, last = box.left - _MOST_MARKS * text.height, box.right + _MOST_MARKS * text.height
    slack = 0.3 * text.height
    level = [
        p for p in pieces
        if p.top >= box.top - slack and p.bottom <= box.bottom + slack and p.height > 1
        and p.left >= first and p.right <= last
    ]  # fmt: skip
    for piece in sorted(level, key=lambda p: p.left):
        if piece.left >= box.left and piece.left - box.right <= reach:
            box = _around([box, piece])
    for piece in sorted(level, key=lambda p: -p.right):
        if piece.right <= box.right and box.left - piece.right <= reach:
            box = _around([box, piece])
    return box


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


def _regularity(line: _Line, number: int) -> float:
    """1 where many characters have one head and one foot, 0.6 for four; less as heads and feet vary.

    `number` counts the characters of the line, and of one that stands above or below it.
    """
    tops, bottoms = np.array([g.top for g in line]), np.array([g.bottom for g in line])
    ragged = (tops.std() + bottoms.std()) / _height(line)
    return float(max(0.0, 1 - 2 * ragged) * (1 - 0.4 * 2.0 ** (_FEWEST_CHARACTERS - number)))


def _stacked(line: _Line, other: _Line) -> bool:
    """Whether two lines of one height stand close above each other."""
    a, b, height = _around(line), _around(other), _height(line)
    alike = abs(_height(other) - height) <= max(1.0, 0.1 * height)
    return alike and 0 < _rows_between(a, b) <= 1.5 * height and a.left < b.right and b.left < a.right


def _belongs(line: _Line, text: _Text) -> bool:
    box = _around(line)
    tallest = max(glyph.height for glyph in line)  # small letters are lower than digits
    if len(line) == 1:
        return (
            _is_beside(box, text)
            and 0.8 <= tallest / text.height <= 1.25
            and (_begins_below(box, text) or _goes_on(box, text))
        )
    alike = 0.7 <= tallest / text.height <= 1.4
    return alike and _is_beside(box, text)


def _is_beside(box: _Glyph, text: _Text) -> bool:
    """Whether a box begins where the long line does that a text belongs to, near it, or stands in a row close to it.

    What counts is the long line: from short line to short line, blocks would hop from highlight to highlight, and wash
    out tissue.
    """
    block, height = text.long_line, text.height
    begins_there = abs(box.left - block.left) <= 2 * height
    rows = _LINE_SPACING if begins_there else _ROW_SPACING
    within = block.left - 2 * height <= box.left and box.right <= block.right + _SIDE_SPACING * height
    return within and _rows_between(box, block) <= rows * height


def _begins_below(character: _Glyph, text: _Text) -> bool:
    """Whether a character stands just below or above a line, where its block begins."""
    aligned = abs(character.left - text.long_line.left) <= 2 * text.height
    return aligned and _rows_between(character, text.box) <= _CHARACTER_SPACING * text.height


def _goes_on(character: _Glyph, text: _Text) -> bool:
    """Whether a character stands on the foot of a line, before or behind it."""
    gap = max(character.left - text.box.right, text.box.left - character.right)
    return (
        abs(character.bottom - text.box.bottom) <= max(1.0, 0.15 * text.height) and gap <= _SIDE_SPACING * text.height
    )


def _rows_between(a: _Glyph, b: _Glyph) -> int:
    return max(a.top - b.bottom, b.top - a.bottom)


def _merged(texts: Sequence[_Text]) -> list[_Text]:
    """Join what overlaps: the same line at another contrast, or a part of it."""
    merged: list[_Text] = []
    for text in sorted(texts, key=lambda t: -t.confidence):
        for i, other in enumerate(merged):
            if _same_line(text.box, other.box):
                merged[i] = other._replace(box=_around([text.box, other.box]), height=max(text.height, other.height))
                break
        else:
            merged.append(text)
    return merged


def _same_line(a: _Glyph, b: _Glyph) -> bool:
    shared = min(a.bottom, b.bottom) - max(a.top, b.top)
    return shared >= 0.5 * min(a.height, b.height) and a.left < b.right and b.left < a.right
