# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads marks out of files of each format that is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import nibabel as nib
from nibabel.filebasedimages import ImageFileError
from PIL import Image

from monai_feat.checkpoints import CheckpointError, read_metadata
from monai_feat.data.video_writer import COMMENT_TAG
from monai_feat.marks.statement import Mark, parse_statement

__all__ = ["MARKED_SUFFIXES", "find_mark"]


def find_mark(path: str | os.PathLike[str]) -> Mark | None:
    """Return what the metadata of a file say of its being synthetic; None where they say nothing.

    A mark is not proof: metadata are lost by programs that write a file anew, and can be copied into another.

    Args:
        path: mp4, gif, png, NIfTI or safetensors.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the format is another, or the file is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; check the path")
    suffix = next((suffix for suffix in _TEXTS if path.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise ValueError(f"{path}: expected a file of {', '.join(MARKED_SUFFIXES)}")
    try:
        marks = [mark for text in _TEXTS[suffix](path) if (mark := parse_statement(text)) is not None]
    except (av.FFmpegError, CheckpointError, ImageFileError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read ({error}); is the file complete?") from error
    return marks[0] if marks else None


def _of_video(path: Path) -> Iterator[str]:
    with av.open(str(path)) as container:
        yield container.metadata.get(COMMENT_TAG, "")


def _of_picture(path: Path) -> Iterator[str]:
    with Image.open(path) as picture:
        for value in list(picture.info.values()):
            yield value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _of_nifti(path: Path) -> Iterator[str]:
    header: Any = nib.load(path).header
    for extension in header.extensions:
        content = extension.get_content()
        yield (content if isinstance(content, bytes) else str(content).encode()).decode("utf-8", "replace").rstrip("\0")


def _of_safetensors(path: Path) -> Iterator[str]:
    yield from read_metadata(path).values()


_TEXTS: dict[str, Callable[[Path], Iterator[str]]] = {
    ".mp4": _of_video,
    ".gif": _of_picture,
    ".png": _of_picture,
    ".nii.gz": _of_nifti,
    ".nii": _of_nifti,
    ".safetensors": _of_safetensors,
}
MARKED_SUFFIXES = tuple(_TEXTS)
"""Formats whose marks are known."""
