# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.data.clip_tables import list_table
from monai_feat.data.datalist import DatalistError, read_datalist, write_datalist
from tests.monai_feat.data.folder_search import layouts


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_echonet_is_listed_with_its_split_and_every_path_exists(tmp_path: Path) -> None:
    listing = list_table(layouts.echonet(tmp_path))
    assert listing.missing == ()
    datalist = listing.datalist()
    assert [(item.image.name, item.fold) for item in datalist.training] == [
        ("0X000.avi", None), ("0X001.avi", None), ("0X002.avi", None), ("0X003.avi", 0), ("0X004.avi", 0),
    ]  # fmt: skip
    assert [item.image.name for item in datalist.testing] == ["0X005.avi"]
    write_datalist(datalist, tmp_path / "d.json")
    assert all(item.image.is_file() for _, item in read_datalist(tmp_path / "d.json").sides)


def test_lines_about_one_clip_are_one_item(tmp_path: Path) -> None:
    touch(tmp_path, "Batch1/0XA.avi", "Batch2/0XB.avi")
    table = tmp_path / "MeasurementsList.csv"
    lines = "".join(
        f"{name},{calc},{split}\n" for name, split in (("0XA", "train"), ("0XB", "test")) for calc in ("IVSd", "LVIDs")
    )
    table.write_text("HashedFileName,Calc,split\n" + lines)
    datalist = list_table(table).datalist()
    assert [item.image for item in datalist.training] == [tmp_path / "Batch1/0XA.avi"]
    assert [item.image for item in datalist.testing] == [tmp_path / "Batch2/0XB.avi"]
    table.write_text("HashedFileName,split\n0XA,train\n0XA,test\n")
    with pytest.raises(DatalistError, match="0XA: lines about one clip say split 'train' and 'test'"):
        list_table(table)


def test_numbers_are_folds_and_other_words_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "Videos/a.avi", "Videos/b.avi")
    table = tmp_path / "FileList.csv"
    table.write_text("FileName,EF,Split\na.avi,50,0\nb.avi,60,9\n")
    assert [item.fold for item in list_table(table).datalist().training] == [0, 9]
    table.write_text("FileName,EF,Split\na.avi,50,left\n")
    with pytest.raises(DatalistError, match="expected a split of TRAIN, VAL and TEST or of numbers, got left"):
        list_table(table).datalist()


def test_frames_of_a_table_are_their_clip(tmp_path: Path) -> None:
    for clip in ("1", "2"):
        layouts.frames(tmp_path / "Images" / clip, (f"{i:04d}.jpg" for i in range(1, 5)))
    table = tmp_path / "boxes.csv"
    lines = "".join(f"Images/{clip}/{i:04d}.jpg,10,10,{clip}\n" for clip in ("1", "2") for i in range(1, 5))
    table.write_text("image,x,y,video\n" + lines)
    assert [item.image for item in list_table(table).items] == [tmp_path / "Images/1", tmp_path / "Images/2"]
    by_clip = list_table(table, image="video", group="video").items
    assert [(item.image, item.group) for item in by_clip] == [(tmp_path / "Images" / n, n) for n in ("1", "2")]


def test_masks_and_classes_come_with_a_table(tmp_path: Path) -> None:
    layouts.stills_with_masks(tmp_path, "images", "masks", ["anna", "bert"])
    table = tmp_path / "t.csv"
    table.write_text("image,mask,who,what\nimages/anna.jpg,masks/anna.jpg,p1,ill\nimages/bert.jpg,,p2,well\n",
                     encoding="utf-8-sig")  # fmt: skip
    first, second = list_table(table, label="mask", group="who", category="what").items
    assert (first.image, first.label) == (tmp_path / "images/anna.jpg", tmp_path / "masks/anna.jpg")
    assert (first.group, first.category, second.label) == ("p1", "ill", None)
    told = list_table(table, group="who").items
    assert [item.label and item.label.name for item in told] == ["anna.jpg", "bert.jpg"]


def test_a_table_with_holes_is_refused(tmp_path: Path) -> None:
    table = touch(tmp_path, "a.mp4", "x/b.mp4", "y/b.mp4") / "table.csv"
    table.write_text("image,who\na.mp4,p1\nb.mp4,\n")
    with pytest.raises(DatalistError, match="line 3: who is empty"):
        list_table(table, group="who")
    with pytest.raises(DatalistError, match="has no column patient; its columns are image, who"):
        list_table(table, group="patient")
    table.write_text("image\nb\n")
    with pytest.raises(DatalistError, match=r"b: names 2 clips \(x/b.mp4, y/b.mp4\); name more of the path"):
        list_table(table)
    table.write_text("image\ny/b\nz\n")
    assert list_table(table).missing == ("z",)
    table.write_text("image\nz\n")
    with pytest.raises(DatalistError, match="of its 1 names no file is there, such as z"):
        list_table(table)
    table.write_text("x,y\n1,2\n")
    with pytest.raises(DatalistError, match="which column names the clips"):
        list_table(table)


def test_clips_may_lie_elsewhere(tmp_path: Path) -> None:
    touch(tmp_path, "there/a.mp4", "here/notes.txt")
    (tmp_path / "here/t.csv").write_text(f"image\n{tmp_path / 'there/a.mp4'}\n../there/a.mp4\n")
    assert {item.image.resolve() for item in list_table(tmp_path / "here/t.csv").items} == {tmp_path / "there/a.mp4"}
