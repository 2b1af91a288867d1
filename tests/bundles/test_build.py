# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundles in the repository are what their source says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundles import build

ROOT = Path(__file__).resolve().parents[2]
NAMES = build.bundle_names()


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_is_what_its_source_says(name: str) -> None:
    built, folder = build.bundle_files(name), ROOT / "bundles" / name
    stale = [path for path, text in built.items() if (folder / path).read_text(encoding="utf-8") != text]
    assert not stale, "these differ from what bundles/source says; change that, and run `make bundles`"
    assert {f"configs/{path.name}" for path in (folder / "configs").iterdir()} <= set(built)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_to_look_up(name: str) -> None:
    for path, text in build.bundle_files(name).items():
        assert not re.search(r'"%\w|_like_|\$\{\w', text), path
        if path.endswith(".json"):
            assert max(map(len, text.splitlines())) < 250
            json.loads(text)


def test_a_size_stands_in_one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another number of frames reaches every config and text of both diffusion bundles."""
    for path in build.SOURCE.rglob("*.*"):
        copy = tmp_path / path.relative_to(build.SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8")
        copy.write_text(text.replace("num_frames: 16", "num_frames: 24").replace("hidden_size: 64", "hidden_size: 128"))
    monkeypatch.setattr(build, "SOURCE", tmp_path)
    for name in ("feat_endoscopy", "feat_ultrasound"):
        files = build.bundle_files(name)
        configs = {path: json.loads(text) for path, text in files.items() if path.endswith(".json")}
        assert configs["configs/train.json"]["num_frames"] == 24
        assert configs["configs/train.json"]["network_def"]["hidden_size"] == 128
        assert configs["configs/inference.json"]["network_def"]["otherwise"]["hidden_size"] == 128
        assert "24 frames" in files["docs/README.md"]
        assert "24 frames" in configs["configs/metadata.json"]["description"]


def test_building_keeps_what_is_not_built(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "feat.safetensors").write_bytes(b"weights")
    build.build_bundle("feat_ultrasound", tmp_path)
    assert (tmp_path / "models" / "feat.safetensors").read_bytes() == b"weights"
    assert (tmp_path / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Build a bundle whose one config has this content, and return what comes out."""
    monkeypatch.setattr(build, "SOURCE", tmp_path)
    for folder in ("common", "family/configs", "family/docs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "common" / "logging.conf").write_text("")
    (tmp_path / "common" / "parts.yaml").write_text(
        "a: {x: 1, y: '%parts::b'}\nb: [2]\nc: '%parts::d'\nd: '%parts::c'\n"
    )
    (tmp_path / "mine.yaml").write_text("family: family\nword: bundle\n")

    def built(content: dict[str, Any]) -> dict[str, Any]:
        (tmp_path / "family" / "configs" / "train.yaml").write_text(yaml.safe_dump(content))
        made: dict[str, Any] = json.loads(build.bundle_files("mine")["configs/train.json"])
        return made

    return built


def test_references(source: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    assert source({"k": "%bundle::word", "l": ["%parts::a"], "m": "50 %"}) == {
        "k": "bundle", "l": [{"x": 1, "y": [2]}], "m": "50 %",
    }  # fmt: skip
    changed = source({"k": {"_like_": "%parts::a", "x": 3, "z": "%parts::b"}})["k"]
    assert list(changed.items()) == [("x", 3), ("y", [2]), ("z", [2])]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"k": "%parts::e"}, "%parts::e: there is no 'e'; there are a, b, c, d"),
        ({"k": "%prats::a"}, "%prats::a: there is no 'prats'; there are bundle, parts"),
        ({"k": "%bundle::word::x"}, "there is no 'x'; there are no keys but 'bundle'"),
        ({"k": "%parts::c"}, "%parts::c refers to itself: %parts::c -> %parts::d -> %parts::c"),
    ],
)
def test_references_to_nothing(
    source: Callable[[dict[str, Any]], dict[str, Any]], content: dict[str, Any], message: str
) -> None:
    with pytest.raises((KeyError, ValueError), match=re.escape(message)):
        source(content)


def test_a_text_with_an_unknown_word(source: Callable[[dict[str, Any]], dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "family" / "docs" / "README.md").write_text("a ${wrod}")
    with pytest.raises(KeyError, match=r"README.md: there is no \$\{wrod\}; there are .*word"):
        source({})


def test_the_command_refuses_an_unknown_bundle(refusal: Callable[..., str]) -> None:
    assert "there is no source of feat_ct; there are feat_endoscopy, " in refusal(build.main, ["feat_ct"])
