# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which clips annotations name, and of which class: COCO for images and for videos (JSON), CVAT (XML).

Boxes and polygons are not made into masks: export masks (CVAT: "Segmentation mask") where they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from monai_feat.data.clip_rows import ClipRow
from monai_feat.data.datalist import DatalistError
from monai_feat.files import read_json, read_text

__all__ = ["ANNOTATION_SUFFIXES", "read_annotations"]

ANNOTATION_SUFFIXES = (".json", ".xml")


def read_annotations(path: Path) -> list[ClipRow]:
    """List what annotations name, one row for each image or video, with its class where it has one alone.

    Raises:
        DatalistError: the file is neither COCO's nor CVAT's.
        OSError: the file cannot be read.
    """
    rows = _of_cvat(path) if path.suffix.lower() == ".xml" else _of_coco(path)
    if not rows:
        raise DatalistError(f"{path}: expected annotations of COCO (images or videos) or CVAT, found neither")
    return rows


def _of_coco(path: Path) -> list[ClipRow]:
    try:
        document = read_json(path)
        kind, key = ("videos", "video_id") if document.get("videos") else ("images", "image_id")
        names = {entry["id"]: entry["name"] for entry in document.get("categories") or []}
        classes: dict[Any, set[str]] = {}
        for annotation in document.get("annotations") or []:
            classes.setdefault(annotation.get(key), set()).add(str(names.get(annotation.get("category_id"), "")))
        return [
            ClipRow(name, category=_only(classes.get(entry["id"], ())), split=str(entry.get("split") or ""))
            for entry in document.get(kind) or []
            for name in _names_of(entry)
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DatalistError(
            f"{path}: expected annotations as COCO has them ({type(error).__name__}: {error})"
        ) from None


def _names_of(entry: Mapping[str, Any]) -> Sequence[str]:
    names = entry.get("file_names") or entry.get("file_name") or entry["name"]
    return [names] if isinstance(names, str) else [str(name) for name in names]


def _of_cvat(path: Path) -> list[ClipRow]:
    try:
        root = ElementTree.fromstring(read_text(path))
    except ElementTree.ParseError as error:
        raise DatalistError(f"{path}: is not XML ({error})") from None
    except ValueError as error:
        raise DatalistError(str(error)) from None
    images = [
        ClipRow(image.get("name") or "", category=_only(_labels(image)), split=image.get("subset") or "")
        for image in root.iter("image")
    ]
    source = root.findtext("meta/task/source") or root.findtext("meta/job/source") or root.findtext("meta/source")
    if images or not source:
        return [row for row in images if row.image]
    return [ClipRow(source, category=_only({track.get("label") or "" for track in root.iter("track")}))]


def _labels(image: ElementTree.Element) -> set[str]:
    return {shape.get("label") or "" for shape in image if shape.get("label")}


def _only(names: Iterable[str]) -> str:
    known = set(names) - {""}
    return known.pop() if len(known) == 1 else ""
