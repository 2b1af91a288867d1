# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from monai_feat.data.datalist import (
    ClipItem,
    Datalist,
    DatalistError,
    build_datalist,
    find_leaks,
    inspect_datalist,
    parse_datalist,
    read_datalist,
    validate_datalist,
    write_datalist,
)


def items(folder: Path, num_patients: int = 6, clips_each: int = 3) -> list[ClipItem]:
    return [
        ClipItem(folder / f"p{p}_{c}.mp4", folder / f"p{p}_{c}.nii.gz", f"patient {p}", "ill" if p % 2 else "well")
        for p in range(num_patients)
        for c in range(clips_each)
    ]


def test_what_is_built_keeps_groups_on_one_side(tmp_path: Path) -> None:
    datalist = build_datalist(items(tmp_path, 12), num_folds=4, test_share=0.25, seed=2)
    assert find_leaks(datalist) == {}
    assert {item.fold for item in datalist.training} == {0, 1, 2, 3}
    assert {item.fold for item in datalist.testing} == {None}
    assert len({item.group for item in datalist.testing}) == 3
    assert len(datalist.sides) == 36


def test_named_groups_are_held_out(tmp_path: Path) -> None:
    datalist = build_datalist(items(tmp_path), num_folds=2, test_groups=["patient 3", "patient 5"])
    assert {item.group for item in datalist.testing} == {"patient 3", "patient 5"}
    with pytest.raises(DatalistError, match=r"\['patient 9'\] are in no item; the known ones are"):
        build_datalist(items(tmp_path), num_folds=2, test_groups=["patient 9"])


def test_a_clip_without_group_is_a_group_of_its_own(tmp_path: Path) -> None:
    bare = [ClipItem(tmp_path / f"{i}.mp4") for i in range(4)]
    assert len({item.group for item in build_datalist(bare, num_folds=2).training}) == 4


def test_a_leak_can_neither_be_written_nor_read(tmp_path: Path) -> None:
    sound = build_datalist(items(tmp_path), num_folds=2)
    torn = replace(sound, testing=(ClipItem(tmp_path / "other.mp4", group="patient 1"),))
    message = r"group 'patient 1' is on fold \d and testing"
    assert list(find_leaks(torn)) == ["patient 1"]
    with pytest.raises(DatalistError, match=message):
        validate_datalist(torn)
    with pytest.raises(DatalistError, match=message):
        write_datalist(torn, tmp_path / "d.json")
    assert not (tmp_path / "d.json").exists()
    document = {"training": [{"image": "a.mp4", "fold": 0, "group": 1}], "testing": [{"image": "b.mp4", "group": 1}]}
    (tmp_path / "d.json").write_text(json.dumps({**document, "groups": {"1": "patient 1"}}))
    with pytest.raises(DatalistError, match="group 'patient 1' is on fold 0 and testing"):
        read_datalist(tmp_path / "d.json")
    assert len(parse_datalist(tmp_path / "d.json").sides) == 2


def test_always_training_is_a_side(tmp_path: Path) -> None:
    leak = Datalist((ClipItem(tmp_path / "a.mp4", group="p", fold=0), ClipItem(tmp_path / "b.mp4", group="p")))
    assert find_leaks(leak) == {"p": ["always training", "fold 0"]}


def test_a_file_listed_twice_is_refused(tmp_path: Path) -> None:
    clip = ClipItem(tmp_path / "a.mp4", group="p")
    with pytest.raises(DatalistError, match=r"a\.mp4 is listed twice"):
        build_datalist([clip, clip], num_folds=1)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    inside, outside = tmp_path / "set", tmp_path / "elsewhere"
    inside.mkdir()
    clips = [*items(inside / "clips"), *items(outside, 1)[:1]]
    clips[0] = replace(clips[0], flags={"synthetic": 1})
    clips[-1] = replace(clips[-1], group="patient x")
    datalist = build_datalist(clips, num_folds=3, test_share=0.2)
    write_datalist(datalist, inside / "d.json")
    assert read_datalist(inside / "d.json") == datalist
    document = json.loads((inside / "d.json").read_text())
    paths = {entry["image"] for entry in document["training"] + document["testing"]}
    assert "clips/p0_0.mp4" in paths
    assert "../elsewhere/p0_0.mp4" in paths


def test_monai_finds_the_files_and_meets_no_other_string(tmp_path: Path) -> None:
    auto3dseg = pytest.importorskip("monai.auto3dseg.utils")
    clips = items(tmp_path / "clips")
    write_datalist(build_datalist(clips, num_folds=3), tmp_path / "d.json")
    training, validation = auto3dseg.datafold_read(str(tmp_path / "d.json"), str(tmp_path), fold=1)
    assert len(training) == 12
    assert len(validation) == 6
    assert {entry["image"] for entry in training + validation} == {str(item.image) for item in clips}
    others = [value for entry in training for key, value in entry.items() if key not in ("image", "label")]
    assert {type(value) for value in others} == {int}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON"),
        ("[]", "expected .*training"),
        ('{"training": ["a.mp4"]}', "training item 0: expected"),
        ('{"training": [{"image": "a.mp4", "label": ["b"]}]}', "path of one mask"),
        ('{"training": [{"image": "a.mp4", "patient": "Mr X"}]}', "strings are taken for paths by MONAI"),
    ],
)
def test_what_is_no_datalist_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(DatalistError, match=message):
        read_datalist(tmp_path / "d.json")


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(DatalistError, match="expected at least one clip"):
        build_datalist([])


@pytest.mark.parametrize(
    ("document", "complaint", "left"),
    [
        ({"training": [{"image": "a.mp4"}], "groups": ["a"]}, "groups: expected .* got ", 1),
        ({"training": [{"image": "a.mp4", "group": 0}], "groups": {"0": {"a": 1}}}, "groups: 0 stands for", 1),
        ({"training": [{"image": "a.mp4", "group": 0}], "groups": {"0": 5}}, "groups: 0 stands for 5, expected", 1),
        ({"training": [{"image": "a.mp4"}, {"image": 3}]}, "training item 1: expected", 1),
        ({"training": [{"image": "a.mp4"}, {"image": "b.mp4", "label": ["m"]}]}, "training item 1: .* label", 1),
        ({"training": [{"image": "a.mp4", "fold": "x" * 999}], "testing": 7}, "training item 0: expected integers", 0),
        ({"training": [], "testing": {"a": 1}}, "testing: expected a list", 0),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_kept(
    tmp_path: Path, document: dict[str, object], complaint: str, left: int
) -> None:
    (tmp_path / "d.json").write_text(json.dumps(document))
    datalist = inspect_datalist(tmp_path / "d.json")
    assert len(datalist.training) == left
    assert re.match(complaint, datalist.complaints[0])
    assert max(map(len, datalist.complaints)) < 400
    with pytest.raises(DatalistError, match=complaint):
        read_datalist(tmp_path / "d.json")
