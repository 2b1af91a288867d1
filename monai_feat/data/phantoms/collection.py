# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Procedural clips as files, with patients, classes, exact masks and a datalist: a data set that anyone can make."""

from __future__ import annotations

import csv
import io
import math
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from monai_feat.data.datalist import ClipItem, Datalist, build_datalist, write_datalist
from monai_feat.data.image_writers import NiftiClipWriter
from monai_feat.data.phantoms.classes import phantom_class
from monai_feat.data.phantoms.clip import PhantomClip
from monai_feat.data.phantoms.dataset import get_phantom
from monai_feat.data.video_writer import write_mp4
from monai_feat.files import check_folder, read_json, replacing, write_json

__all__ = ["write_phantoms"]

_FOLDS = 5
_PROGRESS = ".progress"  # what is done of a set that is not whole yet


def write_phantoms(
    kind: str,
    folder: str | os.PathLike[str],
    num_clips: int = 40,
    num_patients: int = 10,
    size: int | Sequence[int] = 112,
    num_frames: int = 32,
    num_folds: int | None = None,
    test_share: float | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Datalist:
    """Write ``clips/patient_*/*.mp4``, ``masks/patient_*/*.nii.gz``, ``attributes.csv`` and ``datalist.json``.

    Clip ``i`` belongs to patient ``i % num_patients`` and depends on the seed and these two numbers only: another
    number of clips adds or removes clips and changes none. Folds are checked before anything is rendered. The datalist
    is written last; a set without it is not whole, and the same call goes on where it was stopped.

    Args:
        kind: a name in `PHANTOMS`.
        folder: where to write; made where it is missing, and otherwise empty or begun by the same arguments.
        num_clips: clips in all, at least one of each patient.
        num_patients: patients; the clips of one share the anatomy and differ in motion, pose, light or gain.
        size: rows and columns in pixels, or one number for both; even, because mp4 knows no odd ones.
        num_frames: frames of each clip, at the phantom's own rate.
        num_folds: folds of the training clips; None for five, or as many as there are patients to train with.
        test_share: share of the clips to hold out, by patient; None for a fifth, or for none of fewer than five
            patients.
        seed: non-negative seed of the whole set.
        progress: show a bar with the time left.

    Returns:
        The datalist that was written.

    Raises:
        FileExistsError: the folder holds a whole set, or one that other arguments began, or other things.
        ValueError: an argument is out of range, or so many folds cannot be made.
    """
    folder = Path(folder)
    height, width = (size, size) if isinstance(size, int) else tuple(size)
    if not 1 <= num_patients <= num_clips or height % 2 or width % 2 or seed < 0:
        raise ValueError(
            "expected 1 <= num_patients <= num_clips, an even size and a seed from 0; "
            f"got {num_patients}, {num_clips}, {(height, width)} and {seed}"
        )
    phantom = get_phantom(kind)
    if test_share is None:
        test_share = 1 / _FOLDS if num_patients >= _FOLDS else 0.0
    if num_folds is None:
        num_folds = min(_FOLDS, num_patients - math.ceil(test_share * num_patients))
    _check_folds(num_clips, num_patients, num_folds, test_share, seed)
    check_folder(folder, num_clips * num_frames * height * width)
    wanted = {
        "kind": kind, "num_clips": num_clips, "num_patients": num_patients, "size": [height, width],
        "num_frames": num_frames, "num_folds": num_folds, "test_share": test_share, "seed": seed,
    }  # fmt: skip
    _begin(folder, wanted)
    items, rows = [], []
    for i in tqdm(range(num_clips), desc=f"writing {kind} phantoms", unit="clip", disable=not progress):
        patient = i % num_patients
        render = partial(phantom, _derive(seed, 1, i), (height, width), num_frames,
                         patient_seed=_derive(seed, 0, patient))  # fmt: skip
        item, row = _clip_of(kind, render, folder, f"patient_{patient:03d}", f"clip_{i:04d}")
        items.append(item)
        rows.append(row)
    datalist = build_datalist(items, num_folds, test_share, seed=seed)
    _write_table(rows, folder / "attributes.csv")
    write_datalist(datalist, folder / "datalist.json")
    shutil.rmtree(folder / _PROGRESS)
    return datalist


def _check_folds(num_clips: int, num_patients: int, num_folds: int, test_share: float, seed: int) -> None:
    """Refuse folds that cannot be made, before hours of rendering; classes decide nothing of that."""
    clips = [ClipItem(Path(str(i)), group=str(i % num_patients)) for i in range(num_clips)]
    build_datalist(clips, num_folds, test_share, seed=seed)


def _begin(folder: Path, wanted: Mapping[str, Any]) -> None:
    """Take a new folder, or one that the same arguments have begun."""
    begun = folder / _PROGRESS / "arguments.json"
    if begun.is_file():
        if (there := read_json(begun)) != wanted:
            raise FileExistsError(f"{folder}: was begun with other arguments ({there}); name a new folder")
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: is not empty; name a new folder")
    begun.parent.mkdir(parents=True)
    write_json(begun, wanted)


def _clip_of(
    kind: str, render: Callable[[], PhantomClip], folder: Path, patient: str, name: str
) -> tuple[ClipItem, dict[str, Any]]:
    """Write a clip, or take the one that an earlier run has written, with its line of the table."""
    done = folder / _PROGRESS / f"{name}.json"
    if done.is_file():
        row = read_json(done)
        return ClipItem(folder / row["image"], folder / row["mask"], patient, row["class"]), row
    clip = render()
    item = _write_clip(clip, folder, patient, name, phantom_class(kind, clip.attributes))
    row = _row(item, folder, clip)
    write_json(done, row)
    return item, row


def _derive(seed: int, stream: int, number: int) -> int:
    """Seed of one patient (stream 0) or one clip (stream 1)."""
    return int(np.random.SeedSequence([seed, stream, number]).generate_state(1, np.uint64)[0])


def _write_clip(clip: PhantomClip, folder: Path, patient: str, name: str, category: str) -> ClipItem:
    image, label = folder / "clips" / patient / f"{name}.mp4", folder / "masks" / patient / f"{name}.nii.gz"
    for file in (image, label):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_mp4(clip.image, image, clip.frame_rate)
    writer = NiftiClipWriter()
    writer.set_data_array(clip.mask)
    writer.set_metadata({"frame_rate": clip.frame_rate, "spacing": _spacing(clip)})
    writer.write(label, verbose=False)
    return ClipItem(image, label, patient, category)


def _spacing(clip: PhantomClip) -> tuple[float, float] | None:
    """Height and width of a pixel in mm: the scan depth fills the shorter side. A colon has no scale in the image."""
    if "depth_mm" not in clip.attributes:
        return None
    side = clip.attributes["depth_mm"] / min(clip.image.shape[-2:])
    return side, side


def _row(item: ClipItem, folder: Path, clip: PhantomClip) -> dict[str, str | float]:
    return {
        "image": item.image.relative_to(folder).as_posix(),
        "mask": "" if item.label is None else item.label.relative_to(folder).as_posix(),
        "patient": item.group,
        "class": item.category,
        "frame_rate_hz": clip.frame_rate,
        **clip.attributes,
    }


def _write_table(rows: Sequence[Mapping[str, str | float]], path: Path) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    with replacing(path) as file:
        file.write(text.getvalue().encode())
