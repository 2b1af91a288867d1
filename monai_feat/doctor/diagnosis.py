# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor's report holds: what was found, what was looked at, and what was not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from monai_feat.doctor.text_detection import Detector
from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["COMPARED_FRAMES", "IDENTIFYING", "KINDS", "ClipExam", "Diagnosis", "Finding", "Severity"]

Severity = Literal["error", "warning"]

KINDS: dict[str, tuple[Severity, str]] = {
    "entry": ("error", "Entries of the datalist that are not as they should be"),
    "unreadable": ("error", "Files that are missing, damaged, truncated or no clip"),
    "mask": ("error", "Masks that are missing or do not fit their clip"),
    "group_on_two_sides": ("error", "Groups (patients, sequences) on two sides of the split"),
    "duplicate_across_sides": ("error", "Near-duplicates on two sides of the split"),
    "metadata": ("error", "Metadata that may identify a person or a place"),
    "file_names": ("error", "Names of files and folders that may identify a person"),
    "burnt_in_text": ("error", "Regions that look like burnt-in text"),
    "duplicate_within_side": ("warning", "Near-duplicates on one side of the split"),
    "cut": ("warning", "Cuts inside a clip"),
    "static": ("warning", "Clips in which nothing moves"),
    "not_followed": ("warning", "What clips say that readers do not follow: pixel shape, interlacing, odd rates"),
    "frame_rate": ("warning", "Frame rates unlike the others, or uneven"),
    "no_group": ("warning", "Clips without a group, for which no leak can be seen"),
    "uids": ("warning", "Unique identifiers in DICOM, which lead back to the source"),
    "unseen": ("warning", "What was not looked at"),
}
IDENTIFYING = ("metadata", "file_names", "burnt_in_text")
"""Kinds of findings that may say who is in a clip."""
_DETECTORS: dict[Detector, str] = {
    "own": "for light text of at least four characters, by our own detector (RapidOCR, which reads more, is not used)",
    "rapidocr": "by our own detector, and in two of them by RapidOCR",
}
# What no search here covers; said wherever something is said to be not found.
_NEVER_SEEN = (
    "faces and voices, dark, faint, moving or vertical text, user data inside coded pictures, files beside the clips, "
    "and names of people that are one word"
)
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
        has_text_search: whether text was looked for.
        unseen: what was not looked at, in words; a search for identifiers is not whole where there is any.
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
    unseen: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Diagnosis:
    """What was found in a datalist, and what was looked at.

    Attributes:
        clips: in the order of `Datalist.sides`.
        findings: in the order of `KINDS`.
        threshold: of near-duplicates.
        account: what was seen, used and left in the folder that the clips come from; empty for a datalist.
        detector: what looked for burnt-in text.
    """

    clips: tuple[ClipExam, ...]
    findings: tuple[Finding, ...]
    threshold: float
    account: str = ""
    detector: Detector = "own"

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def unseen(self) -> dict[str, int]:
        """What was not looked at, with the number of clips."""
        return dict(Counter(what for clip in self.clips for what in dict.fromkeys(clip.unseen)))

    @property
    def about_identifiers(self) -> str:
        """One sentence of what was found that identifies, and, in the same breath, of what was not looked at."""
        touched = {i for finding in self.findings if finding.kind in IDENTIFYING for i in finding.clips}
        found = f"{len(touched)} of {len(self.clips)} clips hold what may identify somebody"
        none = f"Nothing that identifies was found in {len(self.clips)} clips"
        left = "; ".join(f"{what} ({number} clips)" for what, number in self.unseen.items())
        return f"{found if touched else none}. Not looked at: {left + '; ' if left else ''}{_NEVER_SEEN}."

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
            "burnt-in text": f"{sum(c.has_text_search for c in clips)} of {len(clips)} clips were searched, in "
            f"{COMPARED_FRAMES} frames each, {_DETECTORS[self.detector]}",
            "metadata": "of clips and masks: DICOM attributes at every depth against PS3.15 Table E.1-1, private ones "
            "among them; tags, times, boxes and tracks of videos; EXIF, XMP, IPTC, comments and text of stills; words "
            "of NIfTI, MetaImage and NRRD; names of files and folders",
            "not looked at": self.about_identifiers,
            "groups": f"{sum(bool(c.group) for c in clips)} of {len(clips)} clips name one; whether the names are "
            "right cannot be seen here",
        }

    def to_json(self) -> dict[str, Any]:
        """All of it but the pictures, for `json.dump`; ``severity`` and ``kind`` are those of `KINDS`."""
        return {
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "identifiers": self.about_identifiers,
            "not_looked_at": self.unseen,
            "folder": self.account,
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
