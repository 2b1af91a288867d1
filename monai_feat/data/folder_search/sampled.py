# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of sampled clips: their manifest says which files are clips, and sheets beside them are none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from monai_feat.files import read_json

__all__ = ["MANIFEST", "files_beside_samples"]

MANIFEST = "manifest.json"
"""What a folder of sampled clips is known by; `monai_feat.bundle.SampleFolder` writes it."""


def files_beside_samples(files: Iterable[Path]) -> dict[Path, str]:
    """Return the pictures that lie beside sampled clips and are none of them, such as contact sheets, with the reason.

    A folder is one of sampled clips where its ``manifest.json`` has a table ``clips`` of file names.
    """
    files = list(files)
    listed = {path.parent: _listed(path) for path in files if path.name == MANIFEST}
    sampled = {folder: names for folder, names in listed.items() if names}
    return {
        path: "is a sheet beside sampled clips"
        for path in files
        if path.suffix.lower() == ".png" and path.name not in sampled.get(path.parent, {path.name})
    }


def _listed(manifest: Path) -> set[str]:
    try:
        content = read_json(manifest)
    except (OSError, ValueError):  # another program's, whatever it holds
        return set()
    clips = content.get("clips") if isinstance(content, dict) else None
    return {str(name) for name in clips.values()} if isinstance(clips, dict) else set()
