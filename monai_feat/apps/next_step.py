# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How a command ends: with what it wrote, and the next command, complete, with the paths of this run.

The way is datalist, doctor, train, sample, evaluate, study; each of these hands on what it knows.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from monai_feat.data import held_out_source
from monai_feat.data.source_names import datalist_of, is_phantom, items_of

__all__ = [
    "GATE_PATIENTS",
    "command",
    "doctor_command",
    "evaluate_command",
    "gate_note",
    "next_step",
    "sample_command",
    "study_command",
    "train_command",
]

GATE_PATIENTS = 19
"""Fewest held-out patients with which the memorisation gate of an evaluation can pass, see docs/memorisation.md."""

Path = str | os.PathLike[str]


def command(*words: object) -> str:
    """Return a command of monai-feat as it can be typed into a shell.

    Example:
        >>> command("doctor", "my clips", "--out", "report")
        "monai-feat doctor 'my clips' --out report"
    """
    return shlex.join(["monai-feat", *map(str, words)])


def next_step(written: Sequence[Path], then: str) -> str:
    """Return the last lines of a command.

    Args:
        written: files and folders that it wrote.
        then: the next command.
    """
    return "\n".join([*(f"Wrote {path}" for path in written), f"Next: {then}"])


def gate_note(num_held_out: int) -> str:
    """Say, before anything is trained, whether an evaluation will be able to tell copies from chance."""
    if num_held_out >= GATE_PATIENTS:
        return f"{num_held_out} patients are held out: enough for the memorisation gate, which takes {GATE_PATIENTS}."
    return (
        f"{num_held_out} patients are held out: the memorisation gate of monai-feat evaluate takes {GATE_PATIENTS}, "
        "and will say that it cannot judge. Hold out more with --test-share, or score without --gate."
    )


def doctor_command(source: Path) -> str:
    """Return the command that examines a datalist."""
    return command("doctor", source, "--out", _beside(source, "doctor"))


def train_command(source: Path) -> str:
    """Return the command that trains on a source."""
    return command("train", source, "--minutes", 60, "--out", _beside(source, "run"))


def sample_command(run: Path) -> str:
    """Return the command that samples what was trained: as many clips as make a verdict possible."""
    return command("sample", run, "--num-clips", 64, "--out", os.path.join(run, "samples"))  # noqa: PTH118


def evaluate_command(source: str, samples: Path) -> str:
    """Return the command that scores samples against what trained them, with the gate where clips are held out."""
    held_out = held_out_source(source)
    if is_phantom(source) and held_out == source:  # a training without a seed in the name has seed 1
        source, held_out = f"{source}:1", f"{source}:2"
    gate = () if held_out is None else ("--held-out", held_out, "--gate")
    return command("evaluate", source, samples, *gate, "--out", _beside(samples, "report"))


def study_command(source: str, modality: str) -> str:
    """Return the command of a study: on a datalist with masks, or else the shipped one on procedural patients."""
    items = items_of(source)
    if items is None or not all(item.label for item in items):
        return command("study", modality if modality == "ultrasound" else "endoscopy", "--out", "study")
    return command("study", "quick", "--data", source, "--out", _beside(source, "study"))


def _beside(source: Path, name: str) -> str:
    """Return a name in the folder of a datalist or of samples; in the working directory for what is no file of ours."""
    named = datalist_of(source)
    if is_phantom(source) or (named is None and name != "report"):
        return name
    return os.path.join(os.path.dirname(source if named is None else named[0]), name)  # noqa: PTH118, PTH120
