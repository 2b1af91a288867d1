# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Looks at every clip of a datalist and reports what would spoil a study; it never says that anything is clean.

`examine` gives a `Diagnosis`: what was found, what was looked at and what was not. `KINDS` lists what is sought.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from monai_feat.data.datalist import ClipItem, Datalist, find_leaks
from monai_feat.data.folder_search.contents import shown_name
from monai_feat.data.readers import open_clip
from monai_feat.data.readers.video import VideoFile
from monai_feat.data.video_stream import VideoReadError, frame_index
from monai_feat.doctor.clip_checks import find_cuts, is_static, uneven_times
from monai_feat.doctor.diagnosis import COMPARED_FRAMES, KINDS, ClipExam, Diagnosis, Finding
from monai_feat.doctor.fingerprint import NEAR, near_duplicates, thumbnails
from monai_feat.doctor.identifier_checks import (
    Reporter,
    common_folder,
    look_at_clip_metadata,
    name_findings,
    unseen_findings,
)
from monai_feat.doctor.text_detection import Detector, find_text_boxes
from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["examine"]

_PREVIEWS, _PREVIEW_HEIGHT = 3, 144
# A rate this many times the usual one, or its inverse, is odd; 25 and 30 Hz are not.
_ODD_RATE = 1.6


def examine(
    datalist: Datalist,
    max_frames: int = 1000,
    threshold: float = NEAR,
    progress: bool = True,
    account: str = "",
    detector: Detector = "own",
) -> Diagnosis:
    """Look at every clip of a datalist, then at all of them together.

    Args:
        datalist: as `inspect_datalist` gives it; leaks are among what is sought.
        max_frames: frames decoded of each clip, from its first on.
        threshold: share of differing hash bits up to which two clips are near-duplicates; see `NEAR`.
        progress: show a bar with the time left.
        account: what was seen, used and left in the folder that the clips come from.
        detector: of burnt-in text; see `choose_detector`.

    Raises:
        ValueError: the datalist is empty, or an argument is out of range.
    """
    sides = datalist.sides
    if not sides or max_frames < 1 or not 0 <= threshold < 0.5:
        raise ValueError(
            f"expected clips, max_frames >= 1 and a threshold in [0, 0.5); got {len(sides)} clips, {max_frames} "
            f"and {threshold}"
        )
    root = common_folder([item for _, item in sides])
    clips = []
    for i, (side, item) in enumerate(tqdm(sides, desc="examining clips", unit="clip", disable=not progress)):
        exam = ClipExam(_shown(item.image, root), side, item.group)
        _look(exam, i, item, root, max_frames, detector)
        clips.append(exam)
    found = [Finding("entry", complaint, ()) for complaint in datalist.complaints]
    found += [finding for exam in clips for finding in exam.findings]
    found += [*_leaks(datalist, clips), *_duplicates(clips, threshold, progress), *_odd_rates(clips), *_unnamed(clips)]
    found += [*name_findings(clips, [item for _, item in sides], root), *unseen_findings(clips)]
    order = list(KINDS)
    return Diagnosis(
        tuple(clips), tuple(sorted(found, key=lambda f: order.index(f.kind))), threshold, account, detector
    )


def _shown(path: Path, root: Path) -> str:
    return shown_name(path.absolute().relative_to(root))


def _look(exam: ClipExam, i: int, item: ClipItem, root: Path, max_frames: int, detector: Detector) -> None:
    """Fill in what one file shows; whatever is wrong with it becomes a finding."""

    def report(kind: str, message: str, boxes: Sequence[Box] = ()) -> None:
        exam.findings.append(Finding(kind, message, (i,), tuple(boxes)))

    look_at_clip_metadata(exam, item, report)
    try:
        _decode(exam, item.image, max_frames, detector, report)
    except VideoReadError as error:
        report("unreadable", error.reason)
        exam.unseen.append("pixels, which cannot be read")
        return
    if exam.looked_at < exam.frames:
        exam.unseen.append(f"frames beyond the first {max_frames}")
    if item.label is not None:
        _look_at_mask(exam, item.label, _shown(item.label, root), report)


def _decode(exam: ClipExam, path: Path, max_frames: int, detector: Detector, report: Reporter) -> None:
    file = open_clip(path)
    exam.frames, exam.frame_rate, exam.size = file.frames, file.frame_rate, file.size
    for remark in file.remarks:
        report("not_followed", remark)
    last = min(file.frames, max_frames) - 1
    chosen = np.unique(np.linspace(0, last, COMPARED_FRAMES).round().astype(int)).tolist()
    kept, thumbs = [], []
    for number, frame in enumerate(file.iter_frames(range(last + 1))):
        thumbs.append(thumbnails(frame[:, None])[0])
        if number in chosen:
            kept.append(frame)
        exam.looked_at += 1
    small = torch.stack(thumbs)
    exam.compared = small[np.linspace(0, last, COMPARED_FRAMES).round().astype(int)]
    exam.previews = [_preview(kept[k]) for k in np.unique(np.linspace(0, len(kept) - 1, _PREVIEWS).round().astype(int))]
    if cuts := find_cuts(small):
        seconds = [f" ({cut / file.frame_rate:.1f} s)" if file.frame_rate else "" for cut in cuts]
        report("cut", "the scene jumps at frame " + ", ".join(f"{c}{s}" for c, s in zip(cuts, seconds, strict=True)))
    if is_static(small):
        report("static", f"none of {len(small)} frames differs from the first by half a grey level")
    if isinstance(file, VideoFile) and (ratio := uneven_times(frame_index(path).times[: last + 1])):
        report("frame_rate", f"frames are unevenly spaced: the longest step in time is {ratio:.1f} times the usual one")
    exam.has_text_search = True
    if boxes := find_text_boxes(torch.stack(kept, dim=1), detector):
        report("burnt_in_text", f"{len(boxes)} region{' looks' if len(boxes) == 1 else 's look'} like text", boxes)


def _look_at_mask(exam: ClipExam, label: Path, shown: str, report: Reporter) -> None:
    try:
        mask = open_clip(label)
    except VideoReadError as error:
        report("mask", f"{shown}: {error.reason}")
        return
    if (mask.frames, mask.size) != (exam.frames, exam.size):
        report(
            "mask",
            f"{shown}: has {mask.frames} frames of {mask.size[0]} x {mask.size[1]} pixels (rows x columns); "
            f"the clip has {exam.frames} of {exam.size[0]} x {exam.size[1]}",
        )


def _leaks(datalist: Datalist, clips: Sequence[ClipExam]) -> Iterator[Finding]:
    for group, sides in find_leaks(datalist).items():
        members = tuple(i for i, clip in enumerate(clips) if clip.group == group)
        yield Finding("group_on_two_sides", f"group {group!r} is on {' and '.join(sides)}", members)


def _duplicates(clips: Sequence[ClipExam], threshold: float, progress: bool) -> Iterator[Finding]:
    numbers = [i for i, clip in enumerate(clips) if clip.compared is not None]
    thumbs = [clip.compared for clip in clips if clip.compared is not None]
    pairs = near_duplicates(thumbs, threshold, progress)
    for first, second, distance in sorted(pairs, key=lambda pair: pair[2]):
        i, j = numbers[first], numbers[second]
        across = clips[i].side != clips[j].side
        where = f"on {clips[i].side} and {clips[j].side}" if across else f"both on {clips[i].side}"
        kind = "duplicate_across_sides" if across else "duplicate_within_side"
        yield Finding(kind, f"{distance:.1%} of the hash bits differ; {where}", (i, j))


def _odd_rates(clips: Sequence[ClipExam]) -> Iterator[Finding]:
    rates = {i: clip.frame_rate for i, clip in enumerate(clips) if clip.frames > 1}
    if not rates:
        return
    usual = float(np.median(list(rates.values())))
    odd = {i: rate for i, rate in rates.items() if rate and not usual / _ODD_RATE <= rate <= usual * _ODD_RATE}
    for i, rate in rates.items():
        if rate == 0:
            yield Finding("frame_rate", "the file states no frame rate", (i,))
        elif i in odd:
            yield Finding("frame_rate", f"{rate:.4g} Hz; half of the clips have {usual:.4g} Hz or more", (i,))
    ends = [extreme([rate for rate in rates.values() if rate], default=0.0) for extreme in (min, max)]
    if not odd and ends[1] > _ODD_RATE * ends[0]:
        yield Finding(
            "frame_rate",
            f"rates go from {ends[0]:.4g} to {ends[1]:.4g} Hz: a training learns motion at all these speeds, unless it "
            "resamples the clips (frame_rate of the bundle's configs)",
            tuple(i for i, rate in rates.items() if rate in ends),
        )


def _unnamed(clips: Sequence[ClipExam]) -> Iterator[Finding]:
    if without := tuple(i for i, clip in enumerate(clips) if not clip.group):
        sides = Counter(clips[i].side for i in without)
        where = ", ".join(f"{count} on {side}" for side, count in sides.items())
        yield Finding("no_group", f"{len(without)} clips name no group: {where}", without)


def _preview(frame: Tensor) -> Tensor:
    """A small RGB copy of a frame ``(C, H, W)``: ``(h, w, 3)``."""
    scale = min(1.0, _PREVIEW_HEIGHT / frame.shape[1])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[2] * scale)))
    small = torch.nn.functional.interpolate(frame[None].float(), size, mode="bilinear", antialias=True)[0]
    return small.round().clamp(0, 255).to(torch.uint8).expand(3, -1, -1).permute(1, 2, 0).contiguous()
