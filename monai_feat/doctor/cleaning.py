# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Copies of clips that carry over nothing but pixels, frame rate and spacing, under new names and without text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from monai_feat.data.datalist import ClipItem, Datalist, write_datalist
from monai_feat.data.image_writers import NiftiClipWriter
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.readers.frame_folder import FrameFolder
from monai_feat.data.readers.load import open_clip
from monai_feat.data.readers.still import StillFile
from monai_feat.data.readers.video import VideoFile
from monai_feat.data.video_stream import VideoReadError
from monai_feat.data.video_writer import encode_mp4
from monai_feat.doctor.diagnosis import COMPARED_FRAMES
from monai_feat.doctor.identifier_checks import common_folder
from monai_feat.doctor.pseudonyms import Pseudonyms
from monai_feat.doctor.text_detection import Detector, find_text_boxes, mask_boxes
from monai_feat.files import replacing_folder, write_json
from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["CLIP_FOLDER", "Cleaned", "clean_datalist"]

CLIP_FOLDER, MASK_FOLDER = "clips", "masks"
_PASSES = 4  # text under text is found when what covered it is gone


@dataclass(frozen=True)
class Cleaned:
    """What became of a datalist.

    Attributes:
        datalist: of the copies.
        masked: number of regions that were blackened in each copy, where there were any.
        left_out: why clips have no copy, by their new names.
    """

    datalist: Datalist
    masked: dict[str, int]
    left_out: dict[str, str]


def clean_datalist(
    datalist: Datalist, folder: Path, names: Pseudonyms, detector: Detector = "own", progress: bool = True
) -> Cleaned:
    """Write copies of all clips and masks, and a datalist of them.

    Videos are encoded again (H.264, crf 16); DICOM, NIfTI, MetaImage and videos of odd sizes become NIfTI, stills and
    frames PNG, all exactly. Sound, subtitles, dates and every other attribute are dropped. Regions of text are black in
    all frames.

    Args:
        datalist: its groups and files get new names; classes keep theirs.
        folder: new, or empty.
        names: gives the new names and remembers the old ones.
        detector: of text; see `choose_detector`.
        progress: show a bar with the time left.

    Raises:
        FileExistsError: there is something in the folder.
        OSError: a file cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: expected a new or empty folder, it holds files; choose another")
    masked: dict[str, int] = {}
    left_out: dict[str, str] = {}
    sides: dict[bool, list[ClipItem]] = {True: [], False: []}
    root = common_folder([item for _, item in datalist.sides])
    numbered = [(True, item) for item in datalist.training] + [(False, item) for item in datalist.testing]
    for trains, item in tqdm(numbered, desc="cleaning clips", unit="clip", disable=not progress):
        name = names.rename("clip", item.image.absolute().relative_to(root).as_posix())
        try:
            sides[trains].append(_clean(item, name, folder, names, detector, masked))
        except VideoReadError as error:
            left_out[name] = error.reason
    cleaned = Datalist(tuple(sides[True]), tuple(sides[False]))
    if cleaned.sides:
        write_datalist(cleaned, folder / "datalist.json")
        write_json(folder / "masked.json", {"regions": masked, "left_out": left_out})
    return Cleaned(cleaned, masked, left_out)


def _clean(
    item: ClipItem, name: str, folder: Path, names: Pseudonyms, detector: Detector, masked: dict[str, int]
) -> ClipItem:
    clip = open_clip(item.image)
    boxes = _text_in(clip, detector)
    if boxes:
        masked[name] = len(boxes)
    image = _write(clip, folder / CLIP_FOLDER, name, boxes, exact=False)
    label = None if item.label is None else _write(open_clip(item.label), folder / MASK_FOLDER, name, (), exact=True)
    group = names.rename("group", item.group) if item.group else ""
    return replace(item, image=image, label=label, group=group)


def _text_in(clip: ClipFile, detector: Detector) -> list[Box]:
    """Boxes of text in frames spread over a clip, until no more is found."""
    numbers = np.unique(np.linspace(0, clip.frames - 1, COMPARED_FRAMES).round().astype(int)).tolist()
    frames = torch.stack(list(clip.iter_frames(numbers)), dim=1)
    boxes: list[Box] = []
    for _ in range(_PASSES):
        found = find_text_boxes(frames, detector)
        if not found:
            break
        boxes += found
        frames = mask_boxes(frames, found)
    return boxes


def _write(clip: ClipFile, folder: Path, name: str, boxes: Sequence[Box], exact: bool) -> Path:
    """Write a copy in the format that fits it, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = (mask_boxes(frame, boxes) for frame in clip.iter_frames(range(clip.frames)))
    has_pictures_alone = isinstance(clip, VideoFile | StillFile | FrameFolder)  # and no spacing
    if has_pictures_alone and clip.frames == 1:
        return _write_still(next(frames), folder / f"{name}.png")
    if has_pictures_alone and (exact or clip.frame_rate == 0):
        return _write_stills(frames, folder / name)
    if has_pictures_alone and not any(side % 2 for side in clip.size):
        encode_mp4(frames, folder / f"{name}.mp4", clip.frame_rate)
        return folder / f"{name}.mp4"
    return _write_nifti(clip, frames, folder / f"{name}.nii.gz")


def _write_still(frame: Tensor, path: Path) -> Path:
    Image.fromarray(_picture(frame)).save(path)
    return path


def _write_stills(frames: Iterator[Tensor], folder: Path) -> Path:
    with replacing_folder(folder) as temporary:
        for number, frame in enumerate(frames):
            _write_still(frame, temporary / f"{number:06d}.png")
    return folder


def _write_nifti(clip: ClipFile, frames: Iterator[Tensor], path: Path) -> Path:
    writer = NiftiClipWriter()
    writer.set_data_array(torch.stack(list(frames), dim=1))
    writer.set_metadata({"frame_rate": clip.frame_rate, "spacing": clip.spacing})
    writer.write(path, verbose=False)
    return path


def _picture(frame: Tensor) -> Any:
    """Pixels for Pillow; grey where all channels are alike, as masks are read in three."""
    if len(frame) == 1 or bool((frame == frame[:1]).all()):
        return frame[0].numpy()
    return frame.permute(1, 2, 0).contiguous().numpy()
