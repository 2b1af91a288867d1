# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor's report holds: what was found, what was looked at, and what was not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["COMPARED_FRAMES", "KINDS", "ClipExam", "Diagnosis", "Finding", "Severity"]

Severity = Literal["error", "warning"]

KINDS: dict[str, tuple[Severity, str]] = {
    "unreadable": ("error", "Files that are missing, damaged, truncated or no clip"),
    "mask": ("error", "Masks that are missing or do not fit their clip"),
    "group_on_two_sides": ("error", "Groups (patients, sequences) on two sides of the split"),
    "duplicate_across_sides": ("error", "Near-duplicates on two sides of the split"),
    "dicom_identifiers": ("error", "DICOM attributes that identify a person or a place"),
    "duplicate_within_side": ("warning", "Near-duplicates on one side of the split"),
    "burnt_in_text": ("warning", "Regions that look like burnt-in text"),
    "cut": ("warning", "Cuts inside a clip"),
    "static": ("warning", "Clips in which nothing moves"),
    "frame_rate": ("warning", "Frame rates unlike the others, or uneven"),
    "no_group": ("warning", "Clips without a group, for which no leak can be seen"),
}
COMPARED_FRAMES = 8  # of each clip, for near-duplicates


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: a key of `KINDS`.
        message: one sentence.
        clips: numbers of the clips it is about, in the order of `Datalist.sides`.
        boxes: regions of the first of these clips.
    """

    kind: str
    message: str
    clips: tuple[int, ...]
    boxes: tuple[Box, ...] = ()

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return KINDS[self.kind][0]


@dataclass
class ClipExam:
    """What was seen of one clip.

    Attributes:
        name: path of the clip.
        side: its side of the split.
        group: its group.
        frames: number of frames in the file; 0 where it cannot be read.
        looked_at: number of frames that were decoded.
        frame_rate: Hz; 0.0 for stills.
        size: rows and columns in pixels.
        previews: some frames, uint8 ``(H, W, 3)``, small.
        compared: thumbnails for the search for duplicates; None where the clip cannot be read.
        has_text_search: whether text was looked for: in a clip that moves.
        has_tag_search: whether DICOM attributes were looked at.
        findings: what is wrong with this clip alone.
    """

    name: str
    side: str
    group: str
    frames: int = 0
    looked_at: int = 0
    frame_rate: float = 0.0
    size: tuple[int, int] = (0, 0)
    previews: list[Tensor] = field(default_factory=list)
    compared: Tensor | None = None
    has_text_search: bool = False
    has_tag_search: bool = False
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a datalist, and what was looked at."""

    clips: tuple[ClipExam, ...]
    findings: tuple[Finding, ...]
    threshold: float

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def looked_at(self) -> dict[str, str]:
        """What each search covered, in words."""
        clips = self.clips
        read = sum(c.frames > 0 for c in clips)
        frames, there = sum(c.looked_at for c in clips), sum(c.frames for c in clips)
        return {
            "clips": f"{read} of {len(clips)} could be opened",
            "frames": f"{frames} of {there} were decoded; damage, cuts and motion were sought in these only",
            "near-duplicates": f"{COMPARED_FRAMES} frames of each of {read} clips were compared with all others: "
            f"mirrored and moved by up to 6 %, at most {self.threshold:.0%} of their hash bits apart; "
            "cropped, rotated and strongly recoloured copies and short excerpts are not found",
            "burnt-in text": f"{sum(c.has_text_search for c in clips)} clips that move were searched for light text of "
            "at least four characters; dark, faint, moving or vertical text is not found",
            "DICOM attributes": f"{sum(c.has_tag_search for c in clips)} files; private attributes were not looked at",
            "groups": f"{sum(bool(c.group) for c in clips)} of {len(clips)} clips name one; whether the names are "
            "right cannot be seen here",
        }

    def to_json(self) -> dict[str, Any]:
        """All of it but the pictures, for `json.dump`; ``severity`` and ``kind`` are those of `KINDS`."""
        return {
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "looked_at": self.looked_at,
            "findings": [
                {
                    "kind": f.kind,
                    "severity": f.severity,
                    "message": f.message,
                    "clips": [self.clips[i].name for i in f.clips],
                    "boxes": [list(box) for box in f.boxes],
                }
                for f in self.findings
            ],
            "clips": [
                {
                    "image": c.name,
                    "side": c.side,
                    "group": c.group,
                    "frames": c.frames,
                    "frames_looked_at": c.looked_at,
                    "frame_rate": c.frame_rate,
                    "size": list(c.size),
                }
                for c in self.clips
            ],
        }
