# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis as one HTML page that needs nothing else: pictures are inside it, and it reads well on a phone."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw

from monai_feat.doctor.diagnosis import KINDS, ClipExam, Diagnosis, Finding
from monai_feat.transforms.endoscopy.field_of_view import Box
from monai_feat.visualize.markup import Html, element, join
from monai_feat.visualize.page import ColumnKind, Page, bullets, definitions, notice, paragraph, table
from monai_feat.visualize.words import count

__all__ = ["render_page"]

_MOST_SHOWN = 60  # findings of one kind with pictures, so that the page stays light
_MOST_CLIPS = 6  # clips of one finding with pictures
_MOST_PICTURED = 60  # clips with pictures, whatever was found
_QUALITY = 70


def render_page(diagnosis: Diagnosis, title: str) -> str:
    """Return the page as HTML.

    Args:
        diagnosis: what `examine` returned.
        title: heading, such as the datalist's name.
    """
    page = Page(title, count(len(diagnosis.clips), "clip"))
    by_kind = {kind: [f for f in diagnosis.findings if f.kind == kind] for kind in KINDS}
    found = {kind: findings for kind, findings in by_kind.items() if findings}
    page.opening(_summary(diagnosis, found))
    for kind, findings in found.items():
        severity, meaning = KINDS[kind]
        page.section(f"{meaning} ({severity})", _section(_alike_together(findings), diagnosis.clips))
    page.section("The clips", *_clips(diagnosis.clips))
    page.section(
        "What was looked at",
        paragraph("No file is free of what was not found: this says what was sought."),
        definitions(diagnosis.looked_at),
    )
    return page.render()


def _summary(diagnosis: Diagnosis, found: dict[str, list[Finding]]) -> Html:
    errors, warnings = diagnosis.count("error"), diagnosis.count("warning")
    return notice(
        "alarm" if errors else "caution" if warnings else "plain",
        f"{count(errors, 'error')}, {count(warnings, 'warning')}",
        bullets([f"{KINDS[kind][1]}: {len(findings)}" for kind, findings in found.items()]),
        paragraph(diagnosis.about_identifiers),
        paragraph(diagnosis.account, aside=True) if diagnosis.account else Html(),
    )


def _alike_together(findings: Sequence[Finding]) -> list[Finding]:
    """Findings that say the same of one clip each, as one; those with regions stay, for these are of their clip."""
    together: dict[str, list[Finding]] = {}
    for number, finding in enumerate(findings):
        is_one = len(finding.clips) == 1 and not finding.boxes
        together.setdefault(finding.message if is_one else f"{number}", []).append(finding)
    return [replace(alike[0], clips=tuple(i for one in alike for i in one.clips)) for alike in together.values()]


def _clips(clips: Sequence[ClipExam]) -> list[Html]:
    """How many clips there are on each side and of what kind, and pictures of the first ones."""
    rows = [_row(side, [clip for clip in clips if clip.side == side]) for side in dict.fromkeys(c.side for c in clips)]
    columns: dict[str, ColumnKind] = {"side": "text", "clips": "number", "groups": "number", "frames": "number",
                                      "Hz": "number", "size": "text"}  # fmt: skip
    rest = len(clips) - _MOST_PICTURED
    more = paragraph(f"… and {rest} more clips.", aside=True) if rest > 0 else Html()
    figures = [_figure(clip, ()) for clip in clips[:_MOST_PICTURED]]
    return [
        table(columns, rows, "Clips of each side, from the least to the most"),
        element("div", *figures, class_="grid"),
        more,
    ]


def _row(side: str, clips: Sequence[ClipExam]) -> list[str]:
    read = [clip for clip in clips if clip.frames]
    sizes = sorted({clip.size for clip in read})
    return [
        side,
        str(len(clips)),
        str(len({clip.group for clip in clips if clip.group})),
        _span([clip.frames for clip in read]),
        _span([clip.frame_rate for clip in read if clip.frame_rate]),
        " to ".join(f"{width} × {height}" for height, width in dict.fromkeys((*sizes[:1], *sizes[-1:]))),
    ]


def _span(values: Sequence[float]) -> str:
    return " to ".join(dict.fromkeys(f"{value:.4g}" for value in (min(values), max(values)))) if values else ""


def _section(findings: Sequence[Finding], clips: Sequence[ClipExam]) -> Html:
    rest = len(findings) - _MOST_SHOWN
    more = paragraph(f"… and {rest} more; the JSON report lists all.") if rest > 0 else Html()
    return join([*(_article(finding, clips) for finding in findings[:_MOST_SHOWN]), more])


def _article(finding: Finding, clips: Sequence[ClipExam]) -> Html:
    figures = [
        _figure(clips[i], finding.boxes if place == 0 else ()) for place, i in enumerate(finding.clips[:_MOST_CLIPS])
    ]
    rest = len(finding.clips) - _MOST_CLIPS
    more = paragraph(f"… and {rest} more clips.") if rest > 0 else Html()
    return element(
        "article", paragraph(finding.message), element("div", *figures, class_="grid"), more, class_="finding"
    )


def _figure(clip: ClipExam, boxes: Sequence[Box]) -> Html:
    images = [_image(clip, number, boxes) for number in range(len(clip.previews))]
    facts = [Path(clip.name).name, clip.side, clip.group and f"group {clip.group}"]
    if clip.frames:
        facts.append(f"{count(clip.frames, 'frame')} of {clip.size[1]} × {clip.size[0]}")
        facts.append(f"{clip.frame_rate:.4g} Hz" if clip.frame_rate else "")
    caption = element("figcaption", " · ".join(fact for fact in facts if fact), title=clip.name)
    return element("figure", element("div", *images, class_="stills"), caption)


def _image(clip: ClipExam, number: int, boxes: Sequence[Box]) -> Html:
    image = Image.fromarray(clip.previews[number].numpy())
    draw = ImageDraw.Draw(image)
    scale = image.height / max(1, clip.size[0])
    for top, left, bottom, right in boxes:
        corners = [value * scale for value in (left, top, right, bottom)]
        draw.rectangle((corners[0] - 1, corners[1] - 1, corners[2] + 1, corners[3] + 1), outline=(255, 171, 0))
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=_QUALITY)
    return element(
        "img",
        loading="lazy",
        width=image.width,
        height=image.height,
        alt=f"frame of {Path(clip.name).name}",
        src=f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}",
    )
