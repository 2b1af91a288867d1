# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from monai_feat.bundle import run_provenance


def parser_of(path: Path) -> ConfigParser:
    expression = "$run_provenance([@weights])"
    imports = ["$from monai_feat.bundle import run_provenance"]
    return ConfigParser({"imports": imports, "weights": str(path), "seed": 1, "found": expression})


def test_config_weights_and_versions_are_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"some weights")
    parser = parser_of(path)
    parser["seed"] = 7
    parser.parse()
    found = parser.get_parsed_content("found")
    assert found["config"]["seed"] == 7
    assert found["config"]["found"] == "$run_provenance([@weights])"
    assert found["weights"] == {str(path): hashlib.sha256(b"some weights").hexdigest()}
    assert found["versions"]["torch"] == torch.__version__
    parser["seed"] = 8
    assert found["config"]["seed"] == 7


def test_without_a_config_or_a_file_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="only works as an expression in a bundle config"):
        run_provenance([])
    with pytest.raises(Exception) as caught:  # noqa: PT011 - MONAI wraps in errors of its own
        parser_of(tmp_path / "none.safetensors").get_parsed_content("found")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
