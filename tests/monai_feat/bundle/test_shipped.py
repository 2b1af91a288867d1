# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

import pytest

from monai_feat.bundle import copy_bundle, find_bundle, shipped, shipped_bundles

ROOT = Path(__file__).resolve().parents[3]


def test_bundles_of_the_checkout_are_the_shipped_ones() -> None:
    folders = {file.parents[1] for file in (ROOT / "bundles").glob("*/configs/metadata.json")}
    assert set(shipped_bundles().values()) == folders
    assert find_bundle("feat_endoscopy") == ROOT / "bundles" / "feat_endoscopy"


@pytest.mark.parametrize("present", [["bundles"], ["bundles", "monai_feat_bundles"]])
def test_installed_bundles_come_before_a_folder_of_anybodys(
    present: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in present:
        (tmp_path / name / "heart" / "configs").mkdir(parents=True)
        (tmp_path / name / "heart" / "configs" / "metadata.json").touch()
    module = tmp_path / "monai_feat" / "bundle" / "shipped.py"
    monkeypatch.setattr(shipped, "__file__", str(module))
    assert find_bundle("heart") == tmp_path / present[-1] / "heart"


def test_a_folder_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feat_ultrasound" / "configs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert find_bundle("./feat_ultrasound") == Path("feat_ultrasound")
    assert find_bundle("feat_ultrasound") == ROOT / "bundles" / "feat_ultrasound"
    with pytest.raises(FileNotFoundError, match=r"heart: no such bundle; expected a folder .*: feat_endoscopy, feat_"):
        find_bundle("heart")


def test_a_copy_is_whole_and_without_results(tmp_path: Path) -> None:
    original = tmp_path / "heart"
    shutil.copytree(find_bundle("video_segmentation"), original, ignore=shutil.ignore_patterns("runs"))
    (original / "runs" / "samples").mkdir(parents=True)
    original.joinpath("configs", "inference.json").chmod(0o444)
    copy = copy_bundle(original, tmp_path / "new folder" / "mine")
    (original / "models" / "model.pt").unlink(missing_ok=True)  # made by `make bundles`, and by the copy
    (copy / "models" / "model.pt").unlink()
    different = filecmp.dircmp(original, copy)
    assert (different.left_only, different.right_only, different.diff_files) == (["runs"], [], [])
    (copy / "configs" / "inference.json").write_text("{}")  # ours to change
    with pytest.raises(FileExistsError, match="mine exists already"):
        copy_bundle(original, copy)
