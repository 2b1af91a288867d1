# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from monai_feat.data.annotation_files import read_annotations
from monai_feat.data.clip_rows import ClipRow
from monai_feat.data.clip_tables import list_table
from monai_feat.data.datalist import DatalistError
from tests.monai_feat.data.folder_search import layouts


def test_coco_and_cvat_name_clips_and_their_class(tmp_path: Path) -> None:
    layouts.frames(tmp_path / "v1", ["0.jpg", "1.jpg", "2.jpg"])
    (tmp_path / "v2.mp4").touch()
    images = [{"id": i, "file_name": f"v1/{i}.jpg"} for i in range(3)]
    annotations = [{"image_id": i, "category_id": 7} for i in range(3)]
    coco = {"images": images, "annotations": annotations, "categories": [{"id": 7, "name": "polyp"}]}
    (tmp_path / "instances.json").write_text(json.dumps(coco))
    (item,) = list_table(tmp_path / "instances.json").items
    assert (item.image, item.category) == (tmp_path / "v1", "polyp")
    videos = {"videos": [{"id": 1, "file_names": ["v1/0.jpg", "v1/1.jpg"]}], "annotations": [], "categories": []}
    (tmp_path / "videos.json").write_text(json.dumps(videos))
    assert [item.image for item in list_table(tmp_path / "videos.json").items] == [tmp_path / "v1"]
    task = "<annotations><meta><task><source>v2.mp4</source></task></meta>"
    track = '<track id="0" label="tool"><polygon frame="0" points="0,0;1,1;2,0"/></track></annotations>'
    (tmp_path / "cvat.xml").write_text(task + track)
    (item,) = list_table(tmp_path / "cvat.xml").items
    assert (item.image, item.category) == (tmp_path / "v2.mp4", "tool")
    (tmp_path / "cvat.xml").write_text('<annotations><image name="v1/0.jpg"><box label="a"/></image></annotations>')
    assert [item.image for item in list_table(tmp_path / "cvat.xml").items] == [tmp_path / "v1"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"images": 3}', '{"images": [{"x": 1}]}', "no json"])
def test_other_json_is_no_annotation(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DatalistError, match=r"a\.json: expected annotations"):
        list_table(tmp_path / "a.json")


def test_a_class_is_told_where_it_is_the_only_one(tmp_path: Path) -> None:
    boxes = [{"image_id": 1, "category_id": c} for c in (1, 2)] + [{"image_id": 2, "category_id": 2}]
    names = [{"id": 1, "name": "polyp"}, {"id": 2, "name": "tool"}]
    images = [{"id": i, "file_name": f"{i}.png", "split": "test"} for i in (1, 2, 3)]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": names}))
    assert read_annotations(tmp_path / "a.json") == [
        ClipRow("1.png", split="test"), ClipRow("2.png", category="tool", split="test"), ClipRow("3.png", split="test"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["<a", "", "<annotations/>", '<!DOCTYPE a [<!ENTITY x "y">]><a><image name="&z;"/></a>']
)
def test_other_xml_is_no_annotation(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DatalistError, match=r"a\.xml: (is not XML|expected annotations)"):
        read_annotations(tmp_path / "a.xml")
