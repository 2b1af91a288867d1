# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts the report together and writes it."""

from __future__ import annotations

import os
from pathlib import Path

from monai_feat.data.video_writer import replacing
from monai_feat.visualize import Page, bullets, definitions, notice

from ..scores import write_scores
from .inputs import ReportInput

__all__ = ["write_report"]


def write_report(out: str | os.PathLike[str], study: ReportInput) -> Path:
    """Write ``report.html`` and ``scores.csv``, each complete or not at all.

    Args:
        out: folder, made where it is missing; a report that is there is replaced.
        study: what was found.

    Returns:
        Path of the page.

    Raises:
        OSError: a file cannot be written.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    write_scores(folder / "scores.csv", study.scores)
    page = Page(study.title)
    if study.notes:
        page.opening(notice("caution", "Read this first", bullets(study.notes)))
    page.section("Arms", definitions({arm.name: arm.description for arm in study.arms}))
    with replacing(folder / "report.html") as file:
        file.write(page.render().encode("utf-8"))
    return folder / "report.html"
