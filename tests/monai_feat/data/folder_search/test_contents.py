# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.fileset import FileSet

from monai_feat.data.clip_search import find_clips
from monai_feat.data.clip_tables import list_table
from monai_feat.data.folder_search.contents import FolderContents, search_folder
from monai_feat.data.readers.load import open_clip
from tests.monai_feat.data.folder_search import layouts

NAMES = ["cju0qkwl35piu0993l0dewei2", "cju0qoxqj9q6s0835b43399p4", "cju0qx73cjw570799j4n5cjze"]
SEQUENCE = {f"patient0001/patient0001_{view}_half_sequence" for view in ("2CH", "4CH")}


def relative(contents: FolderContents) -> dict[str, str | None]:
    return {
        clip.relative_to(contents.folder).as_posix(): mask and mask.relative_to(contents.folder).as_posix()
        for clip, mask in contents.pairs.items()
    }


def all_files(root: Path) -> Iterator[Path]:
    """Independent of the search: every file that the system knows."""
    return (Path(folder) / name for folder, _, names in os.walk(root) for name in names)


def assert_whole(contents: FolderContents) -> None:
    """Every file is in exactly one place."""
    used = [file for unit in (*contents.clips, *contents.masks) for file in unit.files]
    assert len(used) == len(set(used))
    for file in all_files(contents.folder):
        left = sum(path in (file, *file.parents) for path in contents.left)
        assert (file in used) + left == 1, file


@pytest.mark.parametrize(
    ("build", "pairs"),
    [
        (
            layouts.sun_seg,
            {f"TrainDataset/Frame/{case}": f"TrainDataset/GT/{case}" for case in ("case1_1", "case2")},
        ),
        (
            layouts.endovis_17,
            {
                "instrument_dataset_1/left_frames": "instrument_dataset_1/ground_truth/Left_Prograsp_Forceps_labels",
                "instrument_dataset_1/right_frames": None,
            },
        ),
        (layouts.endovis_18, {"seq_1/left_frames": "seq_1/labels"}),
        (
            layouts.camus,
            {
                f"patient0001/patient0001_{view}_{kind}.nii.gz": f"patient0001/patient0001_{view}_{kind}_gt.nii.gz"
                for view in ("2CH", "4CH")
                for kind in ("ED", "ES", "half_sequence")
            },
        ),
        (
            layouts.cholecseg8k,
            {"video01/video01_00080/frame_%d_endo.png": "video01/video01_00080/frame_%d_endo_watershed_mask.png"},
        ),
        (
            layouts.busi,
            {
                f"{kind}/{kind} ({i}).png": f"{kind}/{kind} ({i})_mask.png"
                for kind in ("benign", "malignant")
                for i in range(1, 4)
            },
        ),
        (layouts.polypgen, {f"data_{c}/images_{c}": f"data_{c}/masks_{c}" for c in ("C1", "C2")}),
        (layouts.dresden, {f"liver/{clip}/image%d.png": f"liver/{clip}/mask%d.png" for clip in ("03", "04")}),
        (layouts.tn3k, {f"{side}-image": f"{side}-mask" for side in ("trainval", "test")}),
        (layouts.bus_bra, {f"Images/bus_%d-{side}.png": f"Masks/mask_%d-{side}.png" for side in "lr"}),
        (
            layouts.other_languages,
            {"de/Bilder/a": "de/Masken/a", "es/imagenes/a": "es/máscaras/a", "zh/图像/a": "zh/标注/a"},
        ),
    ],
)
def test_public_layouts_are_told_and_paired(
    tmp_path: Path, build: Callable[[Path], None], pairs: dict[str, str | None]
) -> None:
    build(tmp_path)
    contents = search_folder(tmp_path)
    assert relative(contents) == pairs
    assert_whole(contents)
    for clip, mask in contents.pairs.items():
        opened = open_clip(clip)
        if mask is not None:
            assert (open_clip(mask).frames, open_clip(mask).size) == (opened.frames, opened.size)
    with pytest.warns(UserWarning, match="taken for masks"):
        assert find_clips(tmp_path) == list(contents.pairs)


def test_a_mask_among_frames_of_another_kind_is_none_of_them(tmp_path: Path) -> None:
    layouts.robust_mis(tmp_path)
    contents = search_folder(tmp_path)
    assert {mask.path.name for mask in contents.masks} == {"instrument_instances.png"}
    assert not {path for path in relative(contents) if "instrument" in path}
    assert "2 clips with the pixels of masks" in contents.describe()
    assert_whole(contents)


def test_annotations_of_ldpolypvideo_are_no_clips(tmp_path: Path) -> None:
    layouts.ldpolypvideo(tmp_path)
    contents = search_folder(tmp_path)
    assert relative(contents) == dict.fromkeys(["Test/Images/103", "Train/Images/1", "Train/Images/2"])
    assert set(contents.left.values()) == {"is a text"}
    assert "12 are texts" in contents.describe()
    assert_whole(contents)


def test_hyper_kvasir_keeps_its_masks_apart_and_pairs_them(tmp_path: Path) -> None:
    layouts.hyper_kvasir(tmp_path)
    contents = search_folder(tmp_path)
    paired = {clip: mask for clip, mask in relative(contents).items() if mask}
    assert len(contents.clips) == 8
    assert len(paired) == 2
    assert all(mask == clip.replace("/images/", "/masks/") for clip, mask in paired.items())
    listed = list_table(tmp_path / "labeled-videos/video-labels.csv", category="Finding").items
    assert {(item.image.suffix, item.category) for item in listed} == {(".avi", "polyps")}
    assert_whole(contents)


def test_masks_are_told_by_their_pixels(tmp_path: Path) -> None:
    for name in NAMES:
        layouts.save(tmp_path / "lesions" / f"{name}.png", layouts.picture(len(name)))
        layouts.save(tmp_path / "drawn" / f"{name}.png", layouts.mask(3, (0, 7)))
    layouts.frames(tmp_path / "cine", (f"{i}.png" for i in range(4)))
    contents = search_folder(tmp_path)
    assert relative(contents) == {"cine": None} | {f"lesions/{name}.png": f"drawn/{name}.png" for name in NAMES}
    assert "3 clips with the pixels of masks" in contents.describe()
    assert_whole(contents)


def test_masks_alone_are_read_as_clips_and_said(tmp_path: Path) -> None:
    layouts.stills_with_masks(tmp_path, "images", "masks", NAMES)
    contents = search_folder(tmp_path / "masks")
    assert len(contents.clips) == 3
    assert "Everything here has the pixels of masks" in contents.describe()


def test_jpeg_masks_and_png_pictures_share_a_folder(tmp_path: Path) -> None:
    for i in range(4):
        layouts.save(tmp_path / "a" / f"{i}.jpg", layouts.picture(i))
        layouts.save(tmp_path / "a" / f"{i}.png", layouts.mask(i))
    assert relative(search_folder(tmp_path)) == {"a/%d.jpg": "a/%d.png"}
    assert open_clip(tmp_path / "a/%d.jpg").read().float().std() > 10
    assert set(open_clip(tmp_path / "a/%d.png").read().unique().tolist()) == {0, 255}


@pytest.mark.parametrize(
    ("names", "frames", "remark"),
    [
        ([f"{i:04d}.jpg" for i in range(0, 50, 5)], 10, "steps of 5"),
        ([f"img{i}.jpg" for i in (1, 2, 3, 5, 6, 9, 10)], 7, "3 numbers are missing between 1 and 10"),
        (["1.jpg", "2.png", "3.jpg", "4.jpg"], 4, ".jpg and .png files"),
        ([f"case7_frame{i}_t{33 * i}.jpg" for i in range(8, 12)], 4, ""),
        ([f"{i}.png" for i in range(8, 13)], 5, ""),
    ],
)
def test_frames_with_gaps_strides_and_companions_are_one_clip(
    tmp_path: Path, names: list[str], frames: int, remark: str
) -> None:
    layouts.frames(tmp_path / "clip", names)
    for companion in ("Thumbs.db", "labels.json", ".DS_Store"):
        (tmp_path / "clip" / companion).write_bytes(b"{}")
    contents = search_folder(tmp_path)
    assert relative(contents) == {"clip": None}
    clip = open_clip(tmp_path / "clip")
    assert clip.frames == frames
    # The order is that of the numbers, not of the letters.
    first = np.asarray(layouts.picture(0)).astype(float)
    assert abs(clip.read(0, 1)[:, 0].permute(1, 2, 0).numpy() - first).mean() < 4
    assert remark in contents.describe()
    assert_whole(contents)


def test_nothing_of_version_control_waste_bins_and_caches_is_used(tmp_path: Path) -> None:
    layouts.frames(tmp_path, ["a.png"])
    for folder in (".git/annex/objects/x", ".Trash-1000/files", ".ipynb_checkpoints", "@eaDir/a.png", "$RECYCLE.BIN",
                   "__MACOSX", "deep/.svn", "deep/@eaDir"):  # fmt: skip
        layouts.frames(tmp_path / folder, ["b.png"])
    contents = search_folder(tmp_path)
    assert relative(contents) == {"a.png": None}
    assert {path.name for path in contents.left} >= {".git", ".Trash-1000", "@eaDir", ".svn"}
    assert_whole(contents)


def test_links_are_followed_once_and_broken_ones_named(tmp_path: Path) -> None:
    layouts.frames(tmp_path / "out/there", ["x.png"])
    layouts.frames(tmp_path / "in/real", ["a.png"])
    root = tmp_path / "in"
    for name, target in (
        ("loop", root),
        ("again", root / "real"),
        ("other", tmp_path / "out"),
        ("twice", tmp_path / "out"),
    ):
        (root / name).symlink_to(target, target_is_directory=True)
    (root / "copy.png").symlink_to(root / "real/a.png")
    (root / "annexed.mp4").symlink_to(root / ".git/annex/objects/gone.mp4")
    contents = search_folder(root)
    assert len(contents.clips) == 2
    assert relative(contents).keys() >= {"real/a.png"}
    assert "not there" in contents.left[root / "annexed.mp4"]
    assert sum("here already" in reason for reason in contents.left.values()) == 4


def test_dicom_is_told_by_content_and_reports_by_name(tmp_path: Path) -> None:
    layouts.dicom(tmp_path / "1.2.840.113619.2.55.3")
    layouts.dicom(tmp_path / "IM0001.IMA")
    layouts.dicom(tmp_path / "IM0002")
    layouts.dicom(tmp_path / "report.dcm", layouts.BASIC_TEXT_REPORT)
    layouts.dicom(tmp_path / "1.2.3.4", layouts.BASIC_TEXT_REPORT)
    contents = search_folder(tmp_path)
    assert sorted(relative(contents)) == ["1.2.840.113619.2.55.3", "IM0001.IMA", "IM0002"]
    assert "Basic Text SR Storage" in contents.left[tmp_path / "report.dcm"]
    assert "Basic Text SR Storage" in contents.left[tmp_path / "1.2.3.4"]
    assert all(open_clip(path).frames == 3 for path in contents.pairs)
    assert_whole(contents)


def test_an_index_is_read_as_one(tmp_path: Path) -> None:
    source, medium = tmp_path / "a.dcm", tmp_path / "cd"
    for number in range(2):
        data = layouts.dicom(source)
        data.PatientID, data.PatientName, data.StudyDate, data.StudyTime, data.StudyID = (
            "p",
            "p",
            "20200101",
            "1200",
            "1",
        )
        data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.4"
        data.SeriesNumber, data.InstanceNumber = 1, number
        if not number:
            index = FileSet()
        index.add(data)
    index.write(medium)
    contents = search_folder(medium)
    assert len(contents.clips) == 2
    assert contents.left == {medium / "DICOMDIR": "is a DICOM index"}
    assert sorted(find_clips(medium / "DICOMDIR")) == sorted(contents.pairs)
    min(contents.pairs).unlink()
    assert "DICOMDIR lists 2 files, of which 1 are not there" in search_folder(medium).describe()


@pytest.mark.skipif(os.name == "nt", reason="bytes in file names are a matter of POSIX")
def test_names_in_latin_1_are_read_and_can_be_printed(tmp_path: Path) -> None:
    layouts.frames(tmp_path, ["a.png"])
    name = os.fsdecode("pol\xefpe.png".encode("latin-1"))
    shutil.copy(tmp_path / "a.png", tmp_path / name)
    (tmp_path / os.fsdecode(b"r\xe9sum\xe9.txt")).touch()
    contents = search_folder(tmp_path)
    assert len(contents.clips) == 2
    contents.describe().encode("utf-8")
    assert open_clip(tmp_path / name).frames == 1


def test_special_files_are_left_and_never_opened(tmp_path: Path) -> None:
    layouts.frames(tmp_path, ["a.png"])
    os.mkfifo(tmp_path / "b.mp4")
    contents = search_folder(tmp_path)
    assert contents.left == {tmp_path / "b.mp4": "is not a regular file"}


def test_a_folder_without_clips_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "FileList.csv").touch()
    with pytest.raises(FileNotFoundError, match=r"found 1 x \.csv; FileList.csv is a table"):
        search_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        search_folder(tmp_path / "gone")
