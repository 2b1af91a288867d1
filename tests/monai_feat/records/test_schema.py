# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monai_feat.files import read_json
from monai_feat.records import RecordError, RunRecord, check_record
from monai_feat.records.schema import SCHEMA_FILE


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(read_json(SCHEMA_FILE))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mine": 1}, "mine"),
        ({"seeds": {"seed": "three"}}, r"\$\.seeds\.seed"),
        ({"weights": [{"role": "network", "name": "a", "sha256": "short"}]}, r"weights\[0\]\.sha256"),
        ({"schema_version": 2}, "schema_version 1, got 2"),
        ({"earlier": [{"mine": 1}]}, r"\$\.earlier\[0\]"),
    ],
)
def test_what_the_schema_does_not_know_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    record = {**RunRecord(tmp_path, "study", {}).finish(), **change}
    with pytest.raises(RecordError, match=message):
        check_record(record, "record.json")
