# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may be named in a clip: its metadata, those of its mask, and the names of their files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from monai_feat.data.datalist import ClipItem
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_address import split_address
from monai_feat.data.readers.frame_folder import list_stills
from monai_feat.doctor.diagnosis import ClipExam, Finding
from monai_feat.doctor.identifiers import look_at_metadata, traces_in_name
from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["Reporter", "common_folder", "look_at_clip_metadata", "name_findings", "unseen_findings"]


class Reporter(Protocol):
    """Takes down a finding about one clip."""

    def __call__(self, kind: str, message: str, boxes: Sequence[Box] = ()) -> None:
        """Take it down."""


def common_folder(items: Sequence[ClipItem]) -> Path:
    """Return the folder that all clips and masks lie in; reports name paths from there on, and tell no more of them."""
    files = [path.absolute() for item in items for path in (item.image, item.label) if path is not None]
    return Path(os.path.commonpath([file.parent for file in files]))


def look_at_clip_metadata(exam: ClipExam, item: ClipItem, report: Reporter) -> None:
    """Look at the metadata of a clip and of its mask."""
    for what, path in (("", item.image), ("mask: ", item.label)):
        if path is None or not (files := _files_of(path)):
            continue
        traces = look_at_metadata(files)
        exam.unseen += [f"{what}{unseen}" for unseen in traces.unseen]
        if traces.found:
            report("metadata", what + "; ".join(traces.found))
        if traces.uids:
            report("uids", f"{what}{traces.uids} unique identifiers")


def name_findings(clips: Sequence[ClipExam], items: Sequence[ClipItem], root: Path) -> Iterator[Finding]:
    """Say of all clips together what the names of their files give away, from `root` on."""
    told: dict[str, list[int]] = {}
    for i, item in enumerate(items):
        paths = [path.absolute().relative_to(root) for path in (item.image, item.label) if path is not None]
        for trace in dict.fromkeys(trace for path in paths for trace in traces_in_name(path)):
            told.setdefault(trace, []).append(i)
    for trace, numbers in told.items():
        yield Finding("file_names", f"{len(numbers)} of {len(clips)} clips have {trace} in their path", tuple(numbers))


def unseen_findings(clips: Sequence[ClipExam]) -> Iterator[Finding]:
    """Say what was not looked at."""
    told: dict[str, list[int]] = {}
    for i, exam in enumerate(clips):
        for what in dict.fromkeys(exam.unseen):
            told.setdefault(what, []).append(i)
    for what, numbers in told.items():
        yield Finding("unseen", f"{what}: not looked at in {len(numbers)} of {len(clips)} clips", tuple(numbers))


def _files_of(path: Path) -> list[Path]:
    try:
        path, _ = split_address(path)
        if path.is_file():
            return [path]
        return list_stills(path) if path.parent.is_dir() and (path.is_dir() or "%" in path.name) else []
    except (OSError, VideoReadError):  # a name that no file can have; reading the clip says so
        return []
