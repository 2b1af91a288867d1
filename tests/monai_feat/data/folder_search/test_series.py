# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.data.folder_search.series import find_series, matches_pattern, natural_key, split_masks


def paths(*names: str) -> list[Path]:
    return [Path("d") / name for name in names]


def test_numbers_count_and_zeros_do_not() -> None:
    names = ["f10.png", "f9.png", "F1.png", "f002.png", "a.png", "10.png", "9.png"]
    assert sorted(names, key=natural_key) == ["9.png", "10.png", "a.png", "F1.png", "f002.png", "f9.png", "f10.png"]


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        (("f9.png", "f10.png", "f11.png"), ["f%d.png"]),
        (("a1_t1.png", "a1_t2.png"), ["a1_t%d.png"]),
        (("a1_t1.png", "a2_t2.png"), ["a%d_t%d.png"]),
        (("a1_t1.png", "a1_t2.png", "a2_t1.png", "a2_t2.png"), ["a1_t%d.png", "a2_t%d.png"]),
        (("f1.png", "f3.png"), []),
        (("f1.png", "f3.png", "f5.png"), ["f%d.png"]),
        (("img_3.jpg", "img_17.jpg", "img_200.jpg", "img_230.jpg"), []),
        (("000_HC.png", "004_HC.png", "008_HC.png", "016_HC.png"), []),
        (("left.png", "right.png"), []),
        (("lesion (1).png", "lesion (2).png", "lesion (3).png"), []),
        (("f1.png",), []),
        (("1.jpg", "2.png", "3.jpg"), ["%d.*"]),
        (("100%_1.jpg", "100%_2.jpg"), ["100%%_%d.jpg"]),
    ],
)
def test_frames_are_told_from_a_collection(names: tuple[str, ...], patterns: list[str]) -> None:
    series, single = find_series(paths(*names))
    assert [one.pattern.name for one in series] == patterns
    assert sorted([*single, *(still for one in series for still in one.stills)]) == sorted(paths(*names))
    for one in series:
        assert {path for path in paths(*names) if matches_pattern(one.pattern, path.name)} == set(one.stills)


def test_the_order_of_files_does_not_matter() -> None:
    names = [f"f{i}.png" for i in (3, 1, 10, 2)]
    (series,), _ = find_series(paths(*names))
    assert series.numbers == (1, 2, 3, 10)
    assert series.remark == "6 numbers are missing between 1 and 10"


def test_masks_belong_to_what_they_are_named_after() -> None:
    names = paths("a.png", "a_mask.png", "b_mask.png", "c (1).png", "c (1)_mask_1.png")
    stems = {path: path.stem for path in names}
    assert split_masks(names, stems) == {names[1]: names[0], names[4]: names[3]}
