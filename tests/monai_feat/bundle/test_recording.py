# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from monai_feat.bundle import record_run
from monai_feat.records import RECORD, read_record


def parser_of(folder: Path, data: dict[str, Any], weights: dict[str, Any]) -> ConfigParser:
    record = {
        "_target_": "monai_feat.bundle.record_run",
        "folder": str(folder),
        "kind": "diffusion",
        "seed": "@seed",
        "data": data,
        "weights": weights,
    }
    return ConfigParser({"seed": 1, "record": record, "done": "$@record.finish({'loss': 0.5})"})


def test_config_data_and_weights_are_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"some weights")
    data = {"training": "phantom:ultrasound", "held_out": None, "gone": str(tmp_path / "gone")}
    parser = parser_of(tmp_path, data, {"network": str(path), "checkpoint": None})
    parser["seed"] = 7
    parser.parse()
    parser.get_parsed_content("done")
    parser["seed"] = 8
    found = read_record(tmp_path / RECORD)
    assert (found["config"]["seed"], found["seeds"]) == (7, {"seed": 7})
    assert found["config"]["record"]["seed"] == "@seed"
    digest = hashlib.sha256(b"some weights").hexdigest()
    assert found["weights"] == [{"role": "network", "name": "weights.safetensors", "sha256": digest}]
    training, gone = found["data"]
    assert (training["role"], training["procedural"]) == ("training", "phantom:ultrasound")
    assert (gone["sha256"], gone["problem"]) == (None, "could not be described: FileNotFoundError")


def test_without_a_config_or_weights_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="only works as an expression in a bundle config"):
        record_run(tmp_path, "diffusion", 0, {}, {})
    with pytest.raises(Exception) as caught:  # noqa: PT011 - MONAI wraps in errors of its own
        parser_of(tmp_path, {}, {"network": str(tmp_path / "none")}).get_parsed_content("done")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
