# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Who plays what in a simulation of the gate: training clips, held-out clips and clean ones, of patients apart.

A video is a clip with a few frames before and after it, ``(C, 4 + T + 4, H, W)``; see `planting`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from monai_feat.data.clip_tables import list_table
from monai_feat.files import first_few
from monai_feat.transforms import resize_clip, to_channels

from ..reading.clips import evenly_spaced
from ..reading.recordings import FileRecording, Recording
from ..reading.sources import SourceOptions, open_side
from .planting import MARGIN, take_clip
from .scenes import Design

__all__ = ["NUM_PLANTED", "RELATIVES", "Cast", "Patients", "phantom_cast", "read_patients", "real_cast"]

RELATIVES = ("next clip of the same video", "another recording of the patient")
NUM_PLANTED = 16  # copies of each kind, each of another training clip
WINDOWS = 3  # videos of a recording at most, evenly spaced
NUM_FRAMES, SIZE = 16, 64
FEWEST_PATIENTS = 3

Patients = dict[str, list[list[Tensor]]]
"""Videos of each recording of each patient, by name of the patient."""


@dataclass(frozen=True)
class Cast:
    """The clips of one repeat; no patient plays two parts.

    Attributes:
        train: videos of training clips.
        held_out: clips ``(C, T, H, W)`` by which the gate is calibrated.
        groups: who each held-out clip counts for.
        clean: synthetic clips that copy nothing, into which parts are pasted, too.
        relatives: further clips of training patients, by what they are.
    """

    train: list[Tensor]
    held_out: list[Tensor]
    groups: list[str]
    clean: list[Tensor]
    relatives: dict[str, list[Tensor]] = field(default_factory=dict)


def phantom_cast(design: Design, seed: int) -> Cast:
    """Render the clips of a design, all of new patients; the clean ones are of a patient each."""
    held_out_from, fake_from = design.num_train, design.num_train + design.num_held_out
    held_out = [(held_out_from + i // design.recordings, i % design.recordings) for i in range(design.num_held_out)]
    chosen = np.random.default_rng([seed, 3]).choice(design.num_train, (2, NUM_PLANTED)).tolist()

    def next_clip(index: int) -> Tensor:
        patient, recording = divmod(index, design.recordings)
        return design.video(seed, patient, recording, MARGIN + 2 * design.num_frames)[:, -design.num_frames :]

    another = design.recordings  # the first that is not in the training set
    return Cast(
        train=[design.video(seed, i // design.recordings, i % design.recordings) for i in range(design.num_train)],
        held_out=[take_clip(design.video(seed, patient, recording)) for patient, recording in held_out],
        groups=[str(patient) for patient, _ in held_out],
        clean=[take_clip(design.video(seed, fake_from + i)) for i in range(design.num_fake)],
        relatives={
            RELATIVES[0]: [next_clip(i) for i in chosen[0]],
            RELATIVES[1]: [take_clip(design.video(seed, i // design.recordings, another)) for i in chosen[1]],
        },
    )


def read_patients(source: str, pattern: str = "", group: str | None = None) -> Patients:
    """Read grey videos of 24 frames of 64 x 64, up to three of each recording.

    Args:
        source: a table with columns of paths and of patients; or what `open_side` opens.
        pattern: reads only clips whose path it is found in.
        group: column of the patients, where the source is a table.

    Raises:
        ValueError: there are fewer than three patients.
        VideoReadError: a clip cannot be read.
        OSError: there is no such file.
    """
    span = NUM_FRAMES + 2 * MARGIN
    patients: Patients = {}
    for recording in tqdm(_recordings(source, pattern, group), "clips", unit="recording"):
        starts = evenly_spaced(recording.frames - span + 1, WINDOWS)
        videos = [_video(recording, start, span) for start in starts if recording.frames >= span]
        if videos:
            patients.setdefault(recording.group, []).append(videos)
    if len(patients) < FEWEST_PATIENTS:
        raise ValueError(
            f"{source}: {len(patients)} patients ({first_few(sorted(patients), 3)}) with clips of {span} frames; at "
            f"least {FEWEST_PATIENTS} are needed: to train on, to calibrate by, and to copy into"
        )
    return patients


def _recordings(source: str, pattern: str, group: str | None) -> Sequence[Recording]:
    if not source.endswith((".csv", ".tsv")):
        side = open_side("REAL", source, SourceOptions(num_frames=1))
        return [recording for recording in side.recordings if re.search(pattern, recording.name)]
    items = [item for item in list_table(Path(source), group=group).items if re.search(pattern, str(item.image))]
    return [FileRecording(item.image, str(item.image), item.group) for item in items]


def _video(recording: Recording, start: int, span: int) -> Tensor:
    frames = [to_channels(frame, 1) for frame in recording.iter_frames(range(start, start + span), (SIZE, SIZE))]
    return resize_clip(torch.stack(frames, dim=1), SIZE)


def real_cast(patients: Patients, seed: int) -> Cast:
    """Draw who trains, who is held out and who is clean, about a third of the clips each; every clip counts for itself.

    Of a training patient with several recordings one does not train, and is a relative.
    """
    rng = np.random.default_rng([seed, 3])
    train, held_out, clean = _thirds(patients, rng)
    trained = [recordings[:-1] if len(recordings) > 1 else recordings for recordings in train]
    relatives = [recordings[-1] for recordings in train if len(recordings) > 1]
    clips = _clips(held_out)
    return Cast(
        train=[video for recordings in trained for videos in recordings for video in videos],
        held_out=clips,
        groups=[str(i) for i in range(len(clips))],
        clean=_clips(clean),
        relatives={RELATIVES[1]: _clips([relatives])} if relatives else {},
    )


def _thirds(patients: Patients, rng: np.random.Generator) -> list[list[list[list[Tensor]]]]:
    """Share patients out: the part with the fewest recordings takes the next largest patient."""
    names = rng.permutation(sorted(patients)).tolist()
    parts: list[list[list[list[Tensor]]]] = [[], [], []]
    for name in sorted(names, key=lambda name: -len(patients[name])):
        smallest = min(parts, key=lambda part: (sum(map(len, part)), rng.random()))
        smallest.append(patients[name])
    return parts


def _clips(patients: Sequence[list[list[Tensor]]]) -> list[Tensor]:
    return [take_clip(video) for recordings in patients for videos in recordings for video in videos]
