# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Stills that are the frames of one clip, told by their names.

``frame_0001.jpg``, ``frame_0002.jpg`` are frames; every fifth frame, gaps and mixed suffixes are too. Two numbers that
grow together (``f0001_t0033``) count one clip; two that do not (``a1_f1``, ``a1_f2``, ``a2_f1``) count several.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from monai_feat.data.folder_search.names import split_mask_suffix

__all__ = ["FRAME_NUMBER", "Series", "find_series", "matches_pattern", "natural_key", "split_masks"]

FRAME_NUMBER = "%d"
"""What stands for the number in the path of a clip whose frames share a folder with others: ``a/frame_%d.png``."""
_REGULAR = 0.5  # share of the steps from number to number that must be the usual one
_FEW = 3


@dataclass(frozen=True)
class Series:
    """Frames of one clip.

    Attributes:
        stills: in order.
        numbers: what counts them, as many as stills, increasing.
    """

    stills: tuple[Path, ...]
    numbers: tuple[int, ...]

    @property
    def pattern(self) -> Path:
        """A path that names these stills and no others of their folder, with `FRAME_NUMBER` for what counts."""
        split = [re.split(r"(\d+)", still.stem) for still in self.stills]
        name = "".join(
            FRAME_NUMBER if place % 2 and len(set(column)) > 1 else column[0].replace("%", "%%")
            for place, column in enumerate(zip(*split, strict=True))
        )
        suffixes = {still.suffix for still in self.stills}
        return self.stills[0].with_name(name + (suffixes.pop() if len(suffixes) == 1 else ".*"))

    @property
    def remark(self) -> str:
        """What is unusual about the numbers and names; empty where nothing is."""
        steps = Counter(b - a for a, b in pairwise(self.numbers))
        usual = steps.most_common(1)[0][0]
        missing = sum(count * (step // usual - 1) for step, count in steps.items() if step > usual)
        suffixes = sorted({still.suffix.lower() for still in self.stills})
        found = [f"its numbers go in steps of {usual}"] if usual > 1 else []
        found += [f"{missing} numbers are missing between {self.numbers[0]} and {self.numbers[-1]}"] if missing else []
        found += [f"its frames are {' and '.join(suffixes)} files"] if len(suffixes) > 1 else []
        return "; ".join(found)


def find_series(stills: Sequence[Path]) -> tuple[list[Series], list[Path]]:
    """Split the stills of one folder into clips and single pictures.

    Args:
        stills: images of one folder, without masks.

    Returns:
        The clips, and the pictures that belong to none.
    """
    series, single = [], []
    for members in _by_template(stills).values():
        found = _counted(members)
        series += found
        inside = {still for one in found for still in one.stills}
        single += [still for still in members if still not in inside]
    return series, single


def split_masks(files: Iterable[Path], stem_of: Mapping[Path, str]) -> dict[Path, Path]:
    """Find files that are masks of others beside them by the ending of their name, as ``a_mask.png`` of ``a.png``.

    Args:
        files: of one folder.
        stem_of: their names without the ending of the format.

    Returns:
        The clip of each mask.
    """
    by_stem = {stem_of[path]: path for path in files}
    found = {}
    for stem, path in by_stem.items():
        split = split_mask_suffix(stem)
        while split and split[0] not in by_stem:
            split = split_mask_suffix(split[0])
        if split:
            found[path] = by_stem[split[0]]
    return found


def matches_pattern(pattern: Path, name: str) -> bool:
    """Whether a file's name is one that a pattern such as ``frame_%d.png`` stands for."""
    parts = [re.escape(part.replace("%%", "%")) for part in pattern.name.split(FRAME_NUMBER)]
    expression = r"\d+".join(parts)
    if pattern.suffix == ".*":
        expression = expression.removesuffix(re.escape(".*")) + r"\.\w+"
    return re.fullmatch(expression, name) is not None


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorting key by which ``2.png`` comes before ``10.png``."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part]


def _by_template(stills: Sequence[Path]) -> dict[tuple[str, ...], list[Path]]:
    """Stills whose names differ in numbers alone."""
    groups: dict[tuple[str, ...], list[Path]] = {}
    for still in stills:
        groups.setdefault(tuple(re.split(r"\d+", still.stem)), []).append(still)
    return groups


def _counted(stills: Sequence[Path]) -> list[Series]:
    """The clips among stills of one template."""
    numbers = {still: tuple(map(int, re.findall(r"\d+", still.stem))) for still in stills}
    if len(stills) < 2 or re.search(r"\(\d+\)$", stills[0].stem):  # picture (1), picture (2): what a viewer counted
        return []
    if len(set(numbers.values())) < len(stills):  # 1.jpg beside 1.png
        by_suffix: dict[str, list[Path]] = {}
        for still in stills:
            by_suffix.setdefault(still.suffix.lower(), []).append(still)
        return [series for part in by_suffix.values() for series in _counted(part)] if len(by_suffix) > 1 else []
    changing = [place for place, column in enumerate(zip(*numbers.values(), strict=True)) if len(set(column)) > 1]
    ordered = sorted(stills, key=lambda still: natural_key(still.name))
    if grow := _grow_together([[numbers[still][place] for still in ordered] for place in changing]):
        return [Series(tuple(ordered), tuple(grow))] if _is_regular(grow) else []
    if len(changing) < 2:
        return []
    parts: dict[tuple[int, ...], list[Path]] = {}
    for still in ordered:
        parts.setdefault(numbers[still][: changing[-1]], []).append(still)
    if len(parts) in (1, len(stills)):
        return []
    return [series for part in parts.values() for series in _counted(part)]


def _grow_together(columns: Sequence[Sequence[int]]) -> list[int]:
    """The numbers that count, where all that change grow from still to still; the steadiest of them."""
    if not columns or any(b <= a for column in columns for a, b in pairwise(column)):
        return []
    return max(map(list, columns), key=_regularity)


def _regularity(numbers: Sequence[int]) -> float:
    steps = Counter(b - a for a, b in pairwise(numbers))
    return steps.most_common(1)[0][1] / (len(numbers) - 1)


def _is_regular(numbers: Sequence[int]) -> bool:
    if len(numbers) < _FEW:
        return numbers[1] - numbers[0] == 1
    usual = Counter(b - a for a, b in pairwise(numbers)).most_common(1)[0][0]
    return _regularity(numbers) >= (_REGULAR if usual == 1 else 1.0)  # strides with gaps: a choice of pictures
