# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Fidelity and memorisation of the synthetic clips of a study, by ``monai-feat evaluate`` in a process of its own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from monai_feat.data import Datalist, load_clip, read_datalist, write_datalist
from monai_feat.files import read_json
from monai_feat.transforms.video.functional import to_and_fro

from .clips import UNTIMED, clip_name, write_clip
from .study import Data, StudyError

__all__ = ["measure_fidelity"]

MEASURED, COPIES_FOUND = 0, 3  # exit codes
FEWEST_FRAMES, MOST_FRAMES = 3, 16  # of a clip that the evaluation compares


def measure_fidelity(real: Path, fake: Path, held_out: Path, data: Data, folder: Path) -> dict[str, Any]:
    """Compare synthetic clips with real ones, and look for copies of training clips.

    Stills are compared as clips that stand still, so that what is said of motion there says nothing.

    Args:
        real: datalist of the clips that the generator was trained on.
        fake: datalist of synthetic clips.
        held_out: datalist of clips of other patients.
        data: the form of the clips.
        folder: gets the page and its numbers, in ``evaluation``.

    Returns:
        ``command``, ``gate_passed``, and ``report``, the path of the numbers.

    Raises:
        StudyError: it could not be measured; says why.
    """
    out = folder / "evaluation"
    modality = data.modality if data.modality in ("endoscopy", "ultrasound") else "any"
    num_frames = min(MOST_FRAMES, max(FEWEST_FRAMES, data.num_frames))
    if data.num_frames < num_frames:
        real, fake, held_out = (_longer(file, num_frames, folder / "longer") for file in (real, fake, held_out))
    arguments = [real, fake, "--held-out", held_out, "--gate", "--out", out, "--num-frames", num_frames]
    command = [sys.executable, "-m", "monai_feat", "evaluate", *map(str, arguments), "--modality", modality, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (MEASURED, COPIES_FOUND):
        raise StudyError(f"{shlex.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    report = out / "report.json"
    read_json(report)  # whole
    return {"command": shlex.join(command), "gate_passed": done.returncode == MEASURED, "report": str(report)}


def _longer(datalist: Path, num_frames: int, folder: Path) -> Path:
    """Play clips to and fro until they are long enough; return the datalist of the results."""
    longer = []
    for item in read_datalist(datalist).training:
        image = load_clip(item.image).as_tensor()
        image = image[:, to_and_fro(torch.arange(num_frames), image.shape[1])]
        stem = folder / datalist.stem / clip_name(item)
        longer.append(write_clip(replace(item, label=None), image, None, stem, UNTIMED))
    write_datalist(Datalist(tuple(longer)), folder / f"{datalist.stem}.json")
    return folder / f"{datalist.stem}.json"
