# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Count the stills of a folder on which burnt-in text is left, and those with dark smears, after text was removed.

RapidOCR is the judge (``pip install "monai-feat[text]"``): it reads each still as it is, as `RemoveBurntIn` leaves it,
and with the boxes of both of the doctor's detectors black. Where it reads nothing at first, it is not asked again.

    python -m experiments.burnt_in_text polyps/images --out runs/burnt_in_text

Writes ``stills.jsonl``, one line for each still. A run that was stopped goes on where it was; lines are never changed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from monai_feat.data import load_clip
from monai_feat.data.clip_search import find_clips
from monai_feat.doctor.text_detection import choose_detector, find_text_boxes, mask_boxes, read_text_boxes
from monai_feat.transforms.endoscopy import RemoveBurntIn
from monai_feat.transforms.endoscopy.field_of_view import Box

# A filled box is a smear where it is so many levels darker than what is around it, in the mean.
SMEAR = 30.0


@dataclass(frozen=True)
class Still:
    """What the judge reads on one still, in numbers of boxes.

    Attributes:
        name: of the file.
        before: as it is.
        removed: after `RemoveBurntIn`.
        own: with the boxes of our own detector black.
        rapidocr: with those of RapidOCR black as well.
        smears: boxes that `RemoveBurntIn` has left darker than what is around them.
    """

    name: str
    before: int
    removed: int
    own: int
    rapidocr: int
    smears: int


def look_at(path: Path) -> Still:
    """Judge one still."""
    frame = torch.as_tensor(load_clip(path))[:, 0]  # (C, H, W)
    removed = RemoveBurntIn()(frame)
    boxes = [tuple(region["box"]) for region in removed.meta["burnt_in"] if region["kind"] == "text"]  # type: ignore[attr-defined]
    smears = sum(darkening(frame, torch.as_tensor(removed), box) > SMEAR for box in boxes)
    read = read_text_boxes(frame)
    if not read:
        return Still(path.name, 0, 0, 0, 0, smears)
    own = mask_boxes(frame, find_text_boxes(frame[:, None], "own"))
    left = (len(read_text_boxes(after)) for after in (torch.as_tensor(removed), own, mask_boxes(own, read)))
    return Still(path.name, len(read), next(left), next(left), next(left), smears)


def darkening(before: Tensor, after: Tensor, box: Box) -> float:
    """Return by how many levels a box is darker than a ring around it as wide as the box is high.

    Args:
        before: ``(C, H, W)``, where the ring is taken.
        after: ``(C, H, W)``, where the box is taken.
        box: ``(top, left, bottom, right)``.
    """
    top, left, bottom, right = box
    wide = bottom - top
    ring = np.zeros(before.shape[1:], bool)
    ring[max(0, top - wide) : bottom + wide, max(0, left - wide) : right + wide] = True
    ring[top:bottom, left:right] = False
    around = before.float().mean(0)[torch.from_numpy(ring)]
    return float(around.mean() - after[:, top:bottom, left:right].float().mean())


def count(stills: Sequence[Still]) -> str:
    """Return the counts as lines of a table."""
    counted = {
        "text is read at first": sum(still.before > 0 for still in stills),
        "text is left by RemoveBurntIn": sum(still.removed > 0 for still in stills),
        "text is left by our own detector": sum(still.own > 0 for still in stills),
        "text is left by both detectors": sum(still.rapidocr > 0 for still in stills),
        "RemoveBurntIn leaves dark smears": sum(still.smears > 0 for still in stills),
    }
    return "\n".join(f"| {meaning} | {number} of {len(stills)} |" for meaning, number in counted.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m experiments.burnt_in_text", description=__doc__.splitlines()[0])
    parser.add_argument("stills", type=Path, help="folder of stills")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    options = parser.parse_args(arguments)
    choose_detector("rapidocr")
    options.out.mkdir(parents=True, exist_ok=True)
    lines = options.out / "stills.jsonl"
    done = [Still(**json.loads(line)) for line in lines.read_text().splitlines()] if lines.exists() else []
    waiting = {path.name: path for path in find_clips(options.stills)}
    for still in done:
        waiting.pop(still.name, None)
    with lines.open("a") as file:
        for path in tqdm(waiting.values(), disable=None):
            done.append(look_at(path))
            file.write(json.dumps(asdict(done[-1])) + "\n")
            file.flush()
    print(count(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
