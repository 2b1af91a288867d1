# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from monai_feat.apps.inspect import TITLES, main
from monai_feat.bundle.inspection import Kind, get_args


def test_a_plain_bundle_and_one_that_reaches_further(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "configs").mkdir()
    config = tmp_path / "configs" / "train.json"
    config.write_text(json.dumps({"a": "$1 + 1", "output_dir": "runs"}))
    assert main([str(tmp_path)]) == 0
    assert "0 of 2 findings" in capsys.readouterr().out
    config.write_text(json.dumps({"a": "$1 + 1", "b": "$eval('2')"}))
    assert main([str(tmp_path), "--all"]) == 1
    printed = capsys.readouterr().out
    assert printed.index("configs/train.json: b: $eval('2')") < printed.index("configs/train.json: a: $1 + 1")


def test_what_is_no_bundle_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "no such bundle" in capsys.readouterr().err


def test_every_kind_has_a_title() -> None:
    assert set(TITLES) == set(get_args(Kind))
