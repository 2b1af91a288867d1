# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of a study as a table: a row for one number about one clip in one job."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import count
from operator import attrgetter
from pathlib import Path

from monai_feat.files import write_text

from .metric_table import METRICS

__all__ = ["Score", "check_unique", "read_scores", "write_scores"]


@dataclass(frozen=True)
class Score:
    """One number about one clip in one job.

    Attributes:
        arm: what the segmenter was trained on, such as ``real + synthetic x1``.
        fraction: share of the real training patients that the arm, or its generator, could see, 0 to 1; arms are
            compared at equal fractions.
        fold: of whose test side the patient is.
        seed: of the training.
        patient: whose clip it is.
        clip: its name.
        metric: a key of `METRICS`.
        value: finite, in the range of the metric.

    Raises:
        ValueError: a field is not as described.

    Example:
        >>> Score("real", 1.0, 0, 7, "patient 3", "a.mp4", "dice", 0.83).value
        0.83
    """

    arm: str
    fraction: float
    fold: int
    seed: int
    patient: str
    clip: str
    metric: str
    value: float

    def __post_init__(self) -> None:
        empty = [name for name in ("arm", "patient", "clip") if not getattr(self, name)]
        if empty:
            raise ValueError(f"{' and '.join(empty)} must not be empty")
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"expected a fraction from 0 to 1, got {self.fraction}")
        if self.metric not in METRICS:
            raise ValueError(f"unknown metric {self.metric!r}; known are {', '.join(METRICS)}")
        metric = METRICS[self.metric]
        if not math.isfinite(self.value) or not metric.low <= self.value <= metric.high:
            expected = f"a finite value from {metric.low:g} to {metric.high:g}"
            raise ValueError(f"{self.metric} of {self.clip}: expected {expected}, got {self.value}")

    @property
    def key(self) -> tuple[object, ...]:
        """All that a table must hold once only."""
        return (self.arm, self.fraction, self.fold, self.seed, self.clip, self.metric)


_COLUMNS = tuple(field.name for field in fields(Score))
_NUMBERS: dict[str, type[int] | type[float]] = {"fraction": float, "fold": int, "seed": int, "value": float}


def write_scores(path: str | os.PathLike[str], scores: Iterable[Score]) -> None:
    """Write scores as CSV, complete or not at all; `read_scores` gives them back to the last bit.

    Raises:
        ValueError: a number occurs twice.
        OSError: the file cannot be written.
    """
    rows = list(scores)
    check_unique(rows)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(map(attrgetter(*_COLUMNS), rows))
    write_text(path, written.getvalue())


def read_scores(path: str | os.PathLike[str]) -> list[Score]:
    """Read what `write_scores` wrote.

    Raises:
        ValueError: names the file and the line: a column is unknown or missing, a value is no finite number or
            out of range, a metric is unknown, or a number occurs twice.
        OSError: the file cannot be read.
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        _check_columns(path, reader.fieldnames or ())
        scores: list[Score] = []
        lines: list[int] = []
        for score, line in _parsed(path, reader):
            scores.append(score)
            lines.append(line)
    try:
        check_unique(scores, lines)
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from None
    return scores


def check_unique(scores: Iterable[Score], lines: Iterable[int] | None = None) -> None:
    """Refuse scores of which one occurs twice: of one arm, fraction, fold, seed, clip and metric.

    Args:
        scores: of one study.
        lines: where each of them stands in a file.

    Raises:
        ValueError: names the score, and the lines where they are known.
    """
    seen: dict[tuple[object, ...], int] = {}
    for score, line in zip(scores, lines if lines is not None else count(), strict=False):
        if score.key in seen:
            where = "" if lines is None else f"line {line}, and line {seen[score.key]}: "
            what = f"{score.metric} of clip {score.clip!r}, arm {score.arm!r}, fraction {score.fraction:g}"
            raise ValueError(f"{where}{what}, fold {score.fold}, seed {score.seed} occurs twice")
        seen[score.key] = line


def _check_columns(path: str | os.PathLike[str], found: Iterable[str]) -> None:
    names = list(found)
    if sorted(names) != sorted(_COLUMNS):
        unknown, missing = sorted(set(names) - set(_COLUMNS)), sorted(set(_COLUMNS) - set(names))
        expected = f"expected the columns {', '.join(_COLUMNS)}, each once"
        raise ValueError(f"{path}, line 1: {expected}; unknown {unknown}, missing {missing}")


def _parsed(path: str | os.PathLike[str], reader: csv.DictReader[str]) -> Iterator[tuple[Score, int]]:
    try:
        for row in reader:
            yield _score(row), reader.line_num
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from None


def _score(row: Mapping[str | None, str | list[str] | None]) -> Score:
    if None in row or None in row.values():
        raise ValueError(f"expected {len(_COLUMNS)} cells")
    return Score(**{str(name): _value(str(name), str(cell)) for name, cell in row.items()})  # type: ignore[arg-type]


def _value(column: str, cell: str) -> str | int | float:
    kind = _NUMBERS.get(column, str)
    try:
        return kind(cell)
    except ValueError:
        raise ValueError(f"column {column}: expected {kind.__name__}, got {cell!r}") from None
