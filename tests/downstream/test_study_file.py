# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Study files: strict, and with messages that help."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml

from downstream.arms import ARMS
from downstream.study import Data, Generator, Study, StudyError, Training
from downstream.study_file import parse, read_study

SHIPPED = sorted((Path(__file__).parents[2] / "downstream" / "studies").glob("*.yaml"))
SMALL = {
    "title": "small",
    "data": {"modality": "endoscopy", "datalist": "lists/datalist.json"},
    "arms": ["real", "real repeated"],
}


def write(folder: Path, content: object) -> Path:
    file = folder / "study.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return file


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, SMALL))
    assert study.data.datalist == tmp_path.resolve() / "lists" / "datalist.json"
    assert study.training == Training()
    assert study.arms == ("real", "real repeated")


def test_a_datalist_of_the_command_line_wins(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, SMALL), tmp_path / "mine.json")
    assert study.data.datalist == tmp_path.resolve() / "mine.json"


def test_whole_numbers_are_numbers(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, {**SMALL, "fractions": [1], "training": {"ema_decay": None}}))
    assert study.fractions == (1.0,)
    assert isinstance(study.fractions[0], float)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"sedes": [1]}, r"unknown key sedes \(did you mean seeds\?\); the known ones are: title"),
        ({"training": {"step": 3}}, r"unknown key training.step \(did you mean training.steps\?\)"),
        ({"training": {"network": "unet"}}, "training.network: expected one of frame, clip; got 'unet'"),
        ({"training": {"steps": 1.5}}, "training.steps: expected int, got 1.5"),
        ({"training": {"steps": True}}, "training.steps: expected int, got True"),
        ({"training": 3}, "training: expected a mapping of keys, got 3"),
        ({"seeds": 3}, "seeds: expected a list, got 3"),
        ({"seeds": ["a"]}, r"seeds\[0\]: expected int, got 'a'"),
        ({"data": {"datalist": "a"}}, "data: missing modality"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(StudyError, match=complaint):
        read_study(write(tmp_path, {**SMALL, **changes}))


def test_what_is_no_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="is not YAML"):
        read_study(write(tmp_path, "title: [1"))
    with pytest.raises(StudyError, match="expected a mapping"):
        parse(Study, ["real"])


def test_the_example_of_the_documentation_is_sound(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "downstream.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert read_study(write(tmp_path, example)).largest_ratio == 2


def test_every_arm_and_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "downstream.md").read_text(encoding="utf-8")
    for arm in ARMS:
        assert f"`{arm.split()[-1]}`" in page or f"`{arm}`" in page, f"docs/downstream.md does not name {arm}"
    for kind in (Study, Data, Generator, Training):
        for entry in fields(kind):
            if is_dataclass(get_type_hints(kind)[entry.name]):
                continue
            assert re.search(rf"`[\w.]*\b{entry.name}`", page), f"docs/downstream.md does not say what {entry.name} is"


def test_there_are_shipped_studies() -> None:
    assert {file.stem for file in SHIPPED} >= {"endoscopy", "ultrasound"}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_studies_are_sound(file: Path) -> None:
    study = read_study(file)
    assert study.generator.bundle is None or (study.generator.bundle / "configs" / "train.json").is_file()
