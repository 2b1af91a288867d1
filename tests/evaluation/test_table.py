# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.reading.protocol import Protocol
from evaluation.report import write_report
from evaluation.results import Evaluation, Interval, Score
from evaluation.table import main

PROTOCOL = Protocol("strict", num_fake=50)
SCORE = Score("kernel_x", "Kernel distance of x", "held_out", 1.25, Interval(1.0, 1.5, 0.95, "m"), None, 60, 50)


def written(folder: Path, title: str, protocol: Protocol = PROTOCOL, value: float = 1.25) -> str:
    scores = (replace(SCORE, value=value), replace(SCORE, metric="f", title="F", interval=None, meaningful=False))
    write_report(Evaluation(title, protocol.to_dict(), protocol.fingerprint(), {}, (), scores), folder)
    return str(folder)


def test_scores_of_one_protocol_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = written(tmp_path / "1", "one"), written(tmp_path / "2", "two", value=2.5)
    assert main([first, f"{second}/report.json"]) == 0
    table = capsys.readouterr().out
    assert "| score | against | one | two |" in table
    assert "| Kernel distance of x | held-out | 1.25 [1.00, 1.50] | 2.50 [1.00, 1.50] |" in table
    assert "| F | held-out | (1.25) | (1.25) |" in table


def test_other_protocols_are_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = written(tmp_path / "1", "one")
    second = written(tmp_path / "2", "two", replace(PROTOCOL, stride=3, num_fake=2048))
    assert main([first, second]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "stride: 1 and 3; num_fake: 50 and 2048" in error


def test_what_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text(json.dumps({"scores": []}))
    assert main([str(tmp_path / "a.json")]) == 2
    assert main([str(tmp_path / "b.json")]) == 2
    assert main([str(tmp_path / "none")]) == 2
    assert "is not a report.json of monai-feat evaluate" in capsys.readouterr().err
