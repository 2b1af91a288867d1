# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from monai_feat.transforms.endoscopy.text import find_text


def page(places: list[tuple[int, int]], side: int = 9) -> np.ndarray:
    """Hollow squares, the simplest glyphs, on mid grey."""
    levels = np.full((3, 1, 200, 240), 90, dtype=np.float32)
    for top, left in places:
        levels[..., top : top + side, left : left + 6] = 230
        levels[..., top + 2 : top + side - 2, left + 2 : left + 4] = 90
    return levels


def test_a_level_row_is_text_with_confidence_by_its_length() -> None:
    ((box, short),) = find_text(page([(40, 20 + 9 * i) for i in range(4)]))
    ((_, long),) = find_text(page([(40, 20 + 9 * i) for i in range(10)]))
    assert short == pytest.approx(0.6)
    assert long > 0.95
    assert box == (38, 18, 51, 55)


def test_short_lines_count_only_in_a_block() -> None:
    row, pair = [(40, 20 + 9 * i) for i in range(5)], [(60, 20), (60, 29)]
    assert len(find_text(page(row + pair))) == 2
    assert find_text(page(pair)) == []
    assert len(find_text(page([*row, (60, 180), (60, 189)]))) == 1


def test_a_block_does_not_hop_from_mark_to_mark() -> None:
    row = [(40, 20 + 9 * i) for i in range(6)]
    marks = [(60 + 20 * step, 40 + 10 * step + 9 * i) for step in range(5) for i in range(2)]
    boxes = [box for box, _ in find_text(page(row + marks))]  # the row, and the nearest marks
    assert len(boxes) == 3
    assert max(bottom for _, _, bottom, _ in boxes) < 100
    aligned = [(60 + 20 * step, 20 + 9 * i) for step in range(7) for i in range(2)]
    boxes = [box for box, _ in find_text(page(row + aligned))]
    assert max(bottom for _, _, bottom, _ in boxes) < 49 + (10 + 2) * 9


def test_scattered_marks_are_no_text() -> None:
    rng = np.random.default_rng(0)
    places = [(int(y), int(x)) for y, x in zip(rng.integers(5, 180, 40), rng.integers(5, 225, 40), strict=True)]
    assert all(confidence < 0.5 for _, confidence in find_text(page(places)))


def test_coloured_marks_are_no_text() -> None:
    levels = page([(40, 20 + 9 * i) for i in range(6)])
    levels[2] = 90
    assert find_text(levels) == []


def test_grey_text_on_burnt_out_tissue_is_found() -> None:
    levels = page([(40, 20 + 9 * i) for i in range(6)])
    levels = np.where(levels == 230, 215, 255).astype(np.float32)
    ((box, confidence),) = find_text(levels)
    assert box == (38, 18, 51, 73)
    assert confidence > 0.8


def test_three_characters_need_three_above_or_below() -> None:
    row = [(40, 20 + 9 * i) for i in range(3)]
    below = [(55, 20 + 9 * i) for i in range(3)]
    assert find_text(page(row)) == []
    assert len(find_text(page(row + below))) == 2
    assert find_text(page([*row, *((90, left) for _, left in row)])) == []


def test_a_block_takes_single_characters_where_it_begins_and_on_its_feet() -> None:
    row = [(40, 20 + 9 * i) for i in range(6)]
    assert len(find_text(page([*row, (56, 20)]))) == 2
    assert len(find_text(page([*row, (40, 100)]))) == 2
    assert len(find_text(page([*row, (56, 60), (48, 100)]))) == 1


def test_marks_at_the_ends_of_a_line_are_taken() -> None:
    levels = page([(40, 20 + 9 * i) for i in range(4)])
    levels[..., 46:49, 57:60] = 230
    ((box, _),) = find_text(levels)
    assert box[3] == 62
