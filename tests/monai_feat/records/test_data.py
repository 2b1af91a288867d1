# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch

from monai_feat.data import write_gif
from monai_feat.records import GroupNumbers, describe_source


def clip_file(path: Path, level: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_gif(torch.full((1, 2, 16, 16), level, dtype=torch.uint8), path, frame_rate=8)
    return path


def test_a_folder_is_told_by_its_bytes_whatever_its_names(tmp_path: Path) -> None:
    files = [clip_file(tmp_path / "clips" / f"patient {level}.gif", level) for level in (3, 200)]
    found = describe_source("training", tmp_path / "clips", GroupNumbers())
    digests = sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    assert [file["sha256"] for file in found["files"]] == digests
    assert "patient" not in json.dumps(found)
    assert found["sha256"] == hashlib.sha256("".join(digests).encode()).hexdigest()
    shutil.copytree(tmp_path / "clips", tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "patient 3.gif").rename(tmp_path / "elsewhere" / "z.gif")
    assert describe_source("training", tmp_path / "elsewhere", GroupNumbers()) == found


def test_groups_of_a_datalist_are_numbers_unless_names_are_asked_for(tmp_path: Path) -> None:
    for level, name in ((3, "ann"), (60, "ann2"), (200, "bob")):
        clip_file(tmp_path / f"{name}.gif", level)
    training = [{"image": "ann.gif", "group": 0, "fold": 0}, {"image": "ann2.gif", "group": 0, "fold": 0}]
    content = {"training": training, "testing": [{"image": "bob.gif", "group": 1}], "groups": {"0": "Ann", "1": "Bob"}}
    datalist = tmp_path / "datalist.json"
    datalist.write_text(json.dumps(content))
    groups = GroupNumbers()
    found = [describe_source("", source, groups) for source in (datalist, f"{datalist}:testing")]
    assert [[file["group"] for file in side["files"]] for side in found] == [[0, 0], [1]]
    assert "Ann" not in json.dumps(found)
    named = describe_source("", f"{datalist}:testing", GroupNumbers(), names=True)["files"][0]
    assert (named["group_name"], Path(named["name"]).name) == ("Bob", "bob.gif")


def test_a_phantom_has_a_name_and_no_files() -> None:
    found = describe_source("training", "phantom:ultrasound:4", GroupNumbers())
    assert found == {"role": "training", "procedural": "phantom:ultrasound:4", "sha256": None, "files": []}
    with pytest.raises(FileNotFoundError):
        describe_source("training", "no such folder", GroupNumbers())
