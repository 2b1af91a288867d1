# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from monai_feat.bundle import ALARMING, inspect_bundle, shipped_bundles


def bundle_with(folder: Path, config: object, name: str = "train.json") -> Path:
    (folder / "configs").mkdir(parents=True, exist_ok=True)
    (folder / "configs" / name).write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("name", ["feat_endoscopy", "feat_ultrasound", "video_segmentation"])
def test_shipped_bundles_need_no_second_look(name: str) -> None:
    found = inspect_bundle(shipped_bundles()[name])
    made = "models/model.pt"  # by make bundles, for MONAI's programs
    assert [finding for finding in found if finding.kind in ALARMING and finding.file != made] == []
    assert any(finding.kind == "expression" and finding.key.startswith("run::") for finding in found)
    assert any(finding.kind == "place" and finding.key == "output_dir" for finding in found)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"imports": ["$import os"]}, "unusual expression"),
        ({"a": "$__import__('os').system('echo')"}, "unusual expression"),
        ({"a": "$().__class__.__base__.__subclasses__()"}, "unusual expression"),
        ({"a": "$pathlib.Path(@output_dir).write_text('x')"}, "unusual expression"),
        ({"a": "$torch.load(@weights)"}, "unusual expression"),
        ({"a": "$a b"}, "unusual expression"),
        ({"a": {"deep": ["$exec('1')"]}}, "unusual expression"),
        ({"$open('x')": 1}, "unusual expression"),
        ({"net": {"_target_": "their_code.Network"}}, "target"),
        ({"net": {"_target_": "Network"}}, "target"),
        ({"net": {"_target_": "subprocess.run", "args": ["ls"]}}, "target"),
        ({"net": {"_target_": "monai.apps.download_url"}}, "download"),
        ({"weights": "https://example.org/weights"}, "download"),
        ({"a": "$torch.hub.load('a', 'b')"}, "download"),
    ],
)
def test_what_reaches_further_is_named(tmp_path: Path, config: object, kind: str) -> None:
    found = inspect_bundle(bundle_with(tmp_path, config))
    assert found[0].file == "configs/train.json"
    assert kind in [finding.kind for finding in found]


def test_nothing_is_run(tmp_path: Path) -> None:
    traces = tmp_path / "trace"
    code = f"$__import__('pathlib').Path({str(traces)!r}).touch()"
    folder = bundle_with(tmp_path / "bundle", {"imports": [code], "a": {"_target_": "antigravity.geohash"}})
    (folder / "scripts").mkdir()
    (folder / "scripts" / "__init__.py").write_text("raise SystemExit")
    (folder / "models").mkdir()
    (folder / "models" / "model.pt").write_bytes(b"")
    (folder / "models" / "out").symlink_to(tmp_path)
    (folder / "configs" / "logging.conf").write_text("[handler_a]\nclass=FileHandler\nargs=(open('x'),)\n")
    kinds = {finding.kind for finding in inspect_bundle(folder)}
    assert kinds == {"code", "pickle", "link", "target", "unusual expression"}
    assert not traces.exists()


def test_large_files_are_downloads_and_metadata_are_text(tmp_path: Path) -> None:
    folder = bundle_with(tmp_path, {"schema": "https://example.org"}, "metadata.json")
    (folder / "large_files.yml").write_text("large_files:\n- path: a\n  url: https://example.org/a\n")
    assert [(finding.kind, finding.key) for finding in inspect_bundle(folder)] == [("download", "large_files::0::url")]


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        inspect_bundle(tmp_path / "none")
    bundle_with(tmp_path, {})
    (tmp_path / "configs" / "a.yaml").write_text("a: [")
    with pytest.raises(ValueError, match=r"a\.yaml: expected YAML"):
        inspect_bundle(tmp_path)
