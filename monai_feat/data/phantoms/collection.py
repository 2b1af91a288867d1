# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Procedural clips as files, with patients, classes, exact masks and a datalist: a data set that anyone can make."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from monai_feat.data.datalist import ClipItem, Datalist, build_datalist, write_datalist
from monai_feat.data.image_writers import NiftiClipWriter
from monai_feat.data.phantoms.classes import phantom_class
from monai_feat.data.phantoms.clip import PhantomClip
from monai_feat.data.phantoms.dataset import get_phantom
from monai_feat.data.video_writer import replacing, write_mp4

__all__ = ["write_phantoms"]


def write_phantoms(
    kind: str,
    folder: str | os.PathLike[str],
    num_clips: int = 40,
    num_patients: int = 10,
    size: int | Sequence[int] = 112,
    num_frames: int = 32,
    num_folds: int = 5,
    test_share: float = 0.2,
    seed: int = 0,
    progress: bool = True,
) -> Datalist:
    """Write ``clips/patient_*/*.mp4``, ``masks/patient_*/*.nii.gz``, ``attributes.csv`` and ``datalist.json``.

    Clip ``i`` belongs to patient ``i % num_patients`` and depends on the seed and these two numbers only: another
    number of clips adds or removes clips and changes none. The datalist is written last; a set without it is not whole.

    Args:
        kind: a name in `PHANTOMS`.
        folder: where to write; made where it is missing, and empty where it is there.
        num_clips: clips in all, at least one of each patient.
        num_patients: patients; the clips of one share the anatomy and differ in motion, pose, light or gain.
        size: rows and columns in pixels, or one number for both; even, because mp4 knows no odd ones.
        num_frames: frames of each clip, at the phantom's own rate.
        num_folds: folds of the training clips.
        test_share: share of the clips to hold out, by patient.
        seed: non-negative seed of the whole set.
        progress: show a bar with the time left.

    Returns:
        The datalist that was written.

    Raises:
        FileExistsError: the folder is not empty.
        ValueError: an argument is out of range.
    """
    folder = Path(folder)
    height, width = (size, size) if isinstance(size, int) else tuple(size)
    if not 1 <= num_patients <= num_clips or height % 2 or width % 2 or seed < 0:
        raise ValueError(
            "expected 1 <= num_patients <= num_clips, an even size and a seed from 0; "
            f"got {num_patients}, {num_clips}, {(height, width)} and {seed}"
        )
    phantom = get_phantom(kind)
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: is not empty; name a new folder")
    items, rows = [], []
    for i in tqdm(range(num_clips), desc=f"writing {kind} phantoms", unit="clip", disable=not progress):
        patient = i % num_patients
        clip = phantom(_derive(seed, 1, i), (height, width), num_frames, patient_seed=_derive(seed, 0, patient))
        category = phantom_class(kind, clip.attributes)
        item = _write_clip(clip, folder, f"patient_{patient:03d}", f"clip_{i:04d}", category)
        items.append(item)
        rows.append(_row(item, folder, clip))
    datalist = build_datalist(items, num_folds, test_share, seed=seed)
    _write_table(rows, folder / "attributes.csv")
    write_datalist(datalist, folder / "datalist.json")
    return datalist


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
