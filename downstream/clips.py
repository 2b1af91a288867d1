# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Real clips in the form in which all arms see them: one size, one length, one lossless format.

Synthetic clips come in the same form. So no arm differs from another by a codec, a resampling filter or a frame rate.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from torch import Tensor
from tqdm import tqdm

from monai_feat.data import (
    ClipFolderDataset,
    ClipItem,
    Datalist,
    NiftiClipWriter,
    open_clip,
    read_datalist,
    write_datalist,
    write_phantoms,
)
from monai_feat.data.clip_masks import MaskFile
from monai_feat.data.clip_plan import ClipPlanner
from monai_feat.data.folder_search.units import stem_of
from monai_feat.files import first_few
from monai_feat.transforms.functional import to_uint8
from monai_feat.transforms.video.functional import FrameSampling

from .study import Data, StudyError

__all__ = ["check_datalist", "clip_name", "prepare_clips", "read_real", "write_clip", "write_mask"]

UNTIMED = 1.0  # Hz, written for stills, which have no frame rate


def prepare_clips(data: Data, folder: Path, seed: int, progress: bool = True) -> Datalist:
    """Write the clips of a study, resized, with their masks, as NIfTI beside ``datalist.json``.

    Args:
        data: where clips come from, and their form.
        folder: where to write.
        seed: of the frames at which longer clips are cut.
        progress: show bars.

    Returns:
        The datalist that was written, with absolute paths; a clip without a mask has no label.

    Raises:
        StudyError: the datalist does not suit a study.
        VideoReadError: a clip or a mask cannot be read, or they differ in size.
    """
    source = data.datalist or _render(data, folder / "phantoms", progress)
    items = {item.image.resolve(): item for item in read_real(source)}
    clips = ClipFolderDataset(
        source,
        num_frames=data.num_frames,
        size=data.frame_size,
        channels=data.image_channels,
        frame_rate=data.rate,
        fit=data.fit,
        on_short=data.on_short,
        seed=seed,
        label_channels=data.num_classes,
        progress=progress,
    )
    written = []
    for i in tqdm(range(len(clips)), desc="writing clips", unit="clip", disable=not progress):
        clip, item = clips[i], replace(items[clips.paths[i].resolve()], flags={})
        label = None if clips.masks[i] is None else clip["label"]
        stem = folder / f"{i:04d}_{stem_of(clips.paths[i]).name}"
        written.append(write_clip(item, to_uint8(clip["image"]), label, stem, clip["frame_rate"]))
    datalist = Datalist(tuple(written))
    write_datalist(datalist, folder / "datalist.json")
    return datalist


def write_clip(item: ClipItem, image: Tensor, label: Tensor | None, stem: Path, frame_rate: float) -> ClipItem:
    """Write a clip and its mask, and return the item with their paths.

    Args:
        item: of whom the clip is.
        image: uint8 ``(C, T, H, W)``.
        label: classes, uint8 ``(1, T, H, W)``; None for a clip without a mask.
        stem: path without suffix.
        frame_rate: Hz.
    """
    image_file = _write_nifti(image, stem.with_name(f"{stem.name}.nii.gz"), frame_rate)
    label_file = None if label is None else _write_nifti(label, stem.with_name(f"{stem.name}_label.nii.gz"), frame_rate)
    return replace(item, image=image_file, label=label_file)


def write_mask(mask: Tensor, file: Path) -> Path:
    """Write a mask by itself, uint8 ``(1, T, H, W)``, and return its file."""
    return _write_nifti(mask, file, UNTIMED)


def clip_name(item: ClipItem) -> str:
    """Name of a prepared clip in scores and in reports: its file's, without endings."""
    return item.image.name.removesuffix(".nii.gz")


def read_real(path: Path) -> list[ClipItem]:
    """Read the training items of a datalist; its held-out test is left alone.

    Raises:
        DatalistError: it is not a datalist, or a group is on two sides.
        StudyError: a clip has no group or is synthetic.
    """
    items = list(read_datalist(path).training)
    if nameless := [item.image.name for item in items if not item.group]:
        raise StudyError(
            f"{path}: {first_few(nameless)} have no group, expected the patient of each clip, so that no patient both "
            "trains and tests: make the datalist again, and say how a patient is found (--group-level, --group)"
        )
    if synthetic := [item.image.name for item in items if item.flags.get("synthetic")]:
        raise StudyError(
            f"{path}: {first_few(synthetic)} are synthetic, expected real clips only: leave them out, since a study "
            "makes its synthetic clips itself"
        )
    return items


def check_datalist(data: Data) -> list[ClipItem]:
    """Read the training items of a study, and open every clip and mask, without decoding them.

    Raises:
        DatalistError: it is not a datalist, or a group is on two sides.
        StudyError: a clip has no group or is synthetic.
        VideoReadError: a file cannot be read or is too short, or a mask has another size than its clip.
    """
    path = data.datalist
    assert path is not None
    items = read_real(path)
    if all(item.label is None for item in items):
        raise StudyError(
            f"{path}: none of its {len(items)} clips has a mask, which a segmenter is trained with; make the datalist "
            "again, and say where masks are (--masks FOLDER, --mask-suffix _mask)"
        )
    planner = ClipPlanner(data.num_frames, FrameSampling(data.num_frames, frame_rate=data.rate), on_short=data.on_short)
    for number, item in enumerate(items):
        planner.plan(item.image, item.label, number)
        if item.label is not None:
            MaskFile(item.label, open_clip(item.image), data.num_classes)
    return items


def _write_nifti(pixels: Tensor, file: Path, frame_rate: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = NiftiClipWriter()
    writer.set_data_array(pixels)
    writer.set_metadata({"frame_rate": frame_rate or UNTIMED})
    writer.write(file, verbose=False)
    return file


def _render(data: Data, folder: Path, progress: bool) -> Path:
    assert data.phantoms is not None
    if not (folder / "datalist.json").is_file():  # written last: what lies there otherwise is not whole
        shutil.rmtree(folder, ignore_errors=True)
        what = data.phantoms
        write_phantoms(
            what.kind, folder, what.num_clips, what.num_patients, data.frame_size, data.num_frames, what.num_folds,
            test_share=0.0, seed=what.seed, progress=progress,
        )  # fmt: skip
    return folder / "datalist.json"
