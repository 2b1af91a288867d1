# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis as one HTML page that needs nothing else: pictures are inside it, and it reads well on a phone."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image, ImageDraw

from monai_feat.data.diagnosis import KINDS, ClipExam, Diagnosis, Finding
from monai_feat.transforms.endoscopy.field_of_view import Box

__all__ = ["render_page"]

_MOST_SHOWN = 60  # findings of one kind with pictures, so that the page stays light
_MOST_CLIPS = 6  # clips of one finding with pictures
_QUALITY = 70
_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: #202124;
  background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: .5rem 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #dadce0; padding-bottom: .3rem; }
.summary { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; }
.summary a { border: 1px solid #dadce0; border-left: .4rem solid #f9ab00; border-radius: .3rem; padding: .3rem .7rem;
  text-decoration: none; color: inherit; }
.summary a.error { border-left-color: #d93025; }
article { border-left: .25rem solid #f9ab00; padding: .2rem 0 .2rem .8rem; margin: 1rem 0; }
article.error { border-left-color: #d93025; }
article > p { margin: 0 0 .4rem; }
.clips { display: flex; flex-wrap: wrap; gap: .8rem 1.2rem; }
figure { margin: 0; max-width: 100%; }
figcaption { font-size: .82rem; color: #5f6368; max-width: 28rem; }
.frames { display: flex; gap: 3px; overflow-x: auto; }
.frames img { height: 108px; width: auto; display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; font-size: .9rem; }
dt { color: #5f6368; } dd { margin: 0; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; }
  .frames img { height: 84px; } }
"""


def render_page(diagnosis: Diagnosis, title: str) -> str:
    """Return the page as HTML.

    Args:
        diagnosis: what `examine` returned.
        title: heading, such as the datalist's name.
    """
    by_kind = {kind: [f for f in diagnosis.findings if f.kind == kind] for kind in KINDS}
    found = {kind: findings for kind, findings in by_kind.items() if findings}
    errors, warnings = diagnosis.count("error"), diagnosis.count("warning")
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{len(diagnosis.clips)} clips, {_count(errors, 'error')}, {_count(warnings, 'warning')}.</p>",
        '<nav class="summary">' + "".join(_tile(kind, len(findings)) for kind, findings in found.items()) + "</nav>",
        *(_section(kind, findings, diagnosis.clips) for kind, findings in found.items()),
        "<h2>What was looked at</h2><p>No file is free of what was not found: this says what was sought.</p>",
        "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in diagnosis.looked_at.items()) + "</dl>",
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
    )
    return head + "\n".join(body) + "</body></html>\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tile(kind: str, number: int) -> str:
    severity, meaning = KINDS[kind]
    return f'<a class="{severity}" href="#{kind}"><b>{number}</b> {escape(meaning)}</a>'


def _section(kind: str, findings: Sequence[Finding], clips: Sequence[ClipExam]) -> str:
    severity, meaning = KINDS[kind]
    articles = [_article(finding, clips) for finding in findings[:_MOST_SHOWN]]
    rest = len(findings) - _MOST_SHOWN
    more = f"<p>… and {rest} more; the JSON report lists all.</p>" if rest > 0 else ""
    return f'<h2 id="{kind}">{escape(meaning)} ({severity})</h2>' + "".join(articles) + more


def _article(finding: Finding, clips: Sequence[ClipExam]) -> str:
    figures = [
        _figure(clips[i], finding.boxes if place == 0 else ()) for place, i in enumerate(finding.clips[:_MOST_CLIPS])
    ]
    rest = len(finding.clips) - _MOST_CLIPS
    more = f"<p>… and {rest} more clips.</p>" if rest > 0 else ""
    return (
        f'<article class="{finding.severity}"><p>{escape(finding.message)}</p>'
        f'<div class="clips">{"".join(figures)}</div>{more}</article>'
    )


def _figure(clip: ClipExam, boxes: Sequence[Box]) -> str:
    images = [_image(clip, number, boxes) for number in range(len(clip.previews))]
    facts = [Path(clip.name).name, clip.side, clip.group and f"group {clip.group}"]
    if clip.frames:
        facts.append(f"{_count(clip.frames, 'frame')} of {clip.size[1]} × {clip.size[0]}")
        facts.append(f"{clip.frame_rate:.4g} Hz" if clip.frame_rate else "")
    caption = " · ".join(escape(fact) for fact in facts if fact)
    return (
        f'<figure><div class="frames">{"".join(images)}</div>'
        f'<figcaption title="{escape(clip.name)}">{caption}</figcaption></figure>'
    )


def _image(clip: ClipExam, number: int, boxes: Sequence[Box]) -> str:
    image = Image.fromarray(clip.previews[number].numpy())
    draw = ImageDraw.Draw(image)
    scale = image.height / max(1, clip.size[0])
    for top, left, bottom, right in boxes:
        corners = [value * scale for value in (left, top, right, bottom)]
        draw.rectangle((corners[0] - 1, corners[1] - 1, corners[2] + 1, corners[3] + 1), outline=(255, 171, 0))
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=_QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img loading="lazy" width="{image.width}" height="{image.height}" '
        f'alt="frame of {escape(Path(clip.name).name)}" src="data:image/jpeg;base64,{data}">'
    )
