# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis as one HTML page that needs nothing else: pictures are inside it, and it reads well on a phone."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from monai_feat.doctor.diagnosis import KINDS, ClipExam, Diagnosis, Finding
from monai_feat.transforms.endoscopy.field_of_view import Box
from monai_feat.visualize.markup import Html, element, join
from monai_feat.visualize.page import Page, bullets, definitions, notice, paragraph
from monai_feat.visualize.words import count

__all__ = ["render_page"]

_MOST_SHOWN = 60  # findings of one kind with pictures, so that the page stays light
_MOST_CLIPS = 6  # clips of one finding with pictures
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
        page.section(f"{meaning} ({severity})", _section(findings, diagnosis.clips))
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
