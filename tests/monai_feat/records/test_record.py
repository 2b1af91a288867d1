# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from monai_feat.records import RECORD, RecordError, RunRecord, read_record, weights_used


def test_a_record_is_written_when_a_run_begins_and_when_it_ends(tmp_path: Path) -> None:
    record = RunRecord(tmp_path, "scoring", {"size": 64, "folder": tmp_path}, seeds={"seed": 3}, command="do it")
    record.begin()
    assert read_record(tmp_path / RECORD)["status"] == "begun"
    (tmp_path / "report.json").write_bytes(b"{}")
    record.finish({"distance": 1.5, "none": float("nan")}, ["report.*", "missing"])
    found = read_record(tmp_path / RECORD)
    assert (found["status"], found["seeds"], found["command"]) == ("finished", {"seed": 3}, "do it")
    assert found["config"] == {"size": 64, "folder": str(tmp_path)}
    assert found["metrics"] == {"distance": 1.5, "none": "nan"}
    digest = hashlib.sha256(b"{}").hexdigest()
    assert found["results"] == [{"name": "report.json", "bytes": 2, "sha256": digest}]
    assert found["resources"]["cpu_seconds"] >= 0
    assert found["packages"]["torch"]


def test_runs_of_one_folder_keep_what_others_have_left(tmp_path: Path) -> None:
    first, second = (RunRecord(tmp_path, "sampling", {"number": number}) for number in range(2))
    first.begin()
    second.begin()
    first.finish()
    second.finish()
    found = read_record(tmp_path / RECORD)
    assert found["config"] == {"number": 1}
    assert [(run["config"]["number"], run["status"]) for run in found["earlier"]] == [(0, "finished")]


def test_weights_are_told_by_their_bytes_and_without_their_folder(tmp_path: Path) -> None:
    path = tmp_path / "feat.safetensors"
    path.write_bytes(b"some weights")
    digest = hashlib.sha256(b"some weights").hexdigest()
    assert weights_used("network", path) == {"role": "network", "name": "feat.safetensors", "sha256": digest}


def test_what_is_no_record_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text('{"mine": 1}')
    with pytest.raises(RecordError, match="expected a run record with schema_version 1, got None"):
        RunRecord(tmp_path, "scoring", {}).begin()
    assert json.loads((tmp_path / RECORD).read_text()) == {"mine": 1}
    with pytest.raises(RecordError, match=r"\$\.kind: 'cooking' is not one of"):
        RunRecord(tmp_path / "other", "cooking", {}).begin()
