# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from downstream.metric_table import METRICS
from downstream.scores import Score, read_scores, write_scores

ONE = Score("real", 0.25, 0, 3, 'patient "4", left', "a b.mp4", "dice", 0.1 + 0.2)


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["arm,fraction,fold,seed,patient,clip,metric,value", *lines]) + "\n", encoding="utf-8")
    return path


def test_scores_come_back_to_the_last_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(size=40)
    scores = [
        replace(ONE, seed=seed, metric=metric, value=float(value))
        for seed in range(5)
        for metric, value in zip(METRICS, values[8 * seed :], strict=False)
    ]
    write_scores(tmp_path / "scores.csv", scores)
    assert read_scores(tmp_path / "scores.csv") == scores


def test_a_plain_csv_reader_reads_them(tmp_path: Path) -> None:
    write_scores(tmp_path / "scores.csv", [ONE])
    with (tmp_path / "scores.csv").open(newline="") as file:
        heads, row = csv.reader(file)
    assert heads == ["arm", "fraction", "fold", "seed", "patient", "clip", "metric", "value"]
    assert row == [str(value) for value in astuple(ONE)]


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("value,metric,clip,patient,seed,fold,fraction,arm\n0.5,dice,c,p,1,2,1,real\n")
    assert read_scores(path) == [Score("real", 1.0, 2, 1, "p", "c", "dice", 0.5)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("real,1,0,0,p,c,dice,nan", r"line 3: dice of c: expected a finite value from 0 to 1, got nan"),
        ("real,1,0,0,p,c,hd95,inf", r"line 3: hd95 of c: expected a finite value"),
        ("real,1,0,0,p,c,dice,1.5", r"line 3: .* from 0 to 1, got 1.5"),
        ("real,1,0,0,p,c,dise,0.5", r"line 3: unknown metric 'dise'; known are dice,"),
        ("real,2,0,0,p,c,dice,0.5", r"line 3: expected a fraction"),
        ("real,1,0,a,p,c,dice,0.5", r"line 3: column seed: expected int, got 'a'"),
        ("real,1,0,0,,c,dice,0.5", r"line 3: patient must not be empty"),
        ("real,1,0,0,p,c,dice", r"line 3: expected 8 cells"),
        ("real,1,0,0,p,c,dice,0.5,6", r"line 3: expected 8 cells"),
        ("real,1,0,0,p,b,dice,0.7", r"line 3, and line 2: dice of clip 'b', arm 'real', fraction 1, fold 0, seed 0"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = table(tmp_path / "scores.csv", "real,1,0,0,p,b,dice,0.5", line)
    with pytest.raises(ValueError, match=complaint):
        read_scores(path)


@pytest.mark.parametrize("heads", ["arm,fraction", "arm,fraction,fold,seed,patient,clip,metric,value,note", ""])
def test_other_columns_are_refused(tmp_path: Path, heads: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(heads + "\n")
    with pytest.raises(ValueError, match="line 1: expected the columns arm, fraction"):
        read_scores(path)


def test_a_number_is_not_written_twice_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    write_scores(path, [ONE])
    with pytest.raises(ValueError, match="occurs twice"):
        write_scores(path, [ONE, replace(ONE, value=0.4)])
    assert read_scores(path) == [ONE]
    assert list(tmp_path.iterdir()) == [path]
