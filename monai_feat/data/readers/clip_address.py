# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which clip of a file is meant, said in its path: ``echo.h5#array=frames&axes=TCHW``, ``volume.dcm#slice_index=2``.

Datalists, tables and commands hold nothing but paths, and MONAI takes every other string in them for one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from monai_feat.data.read_error import VideoReadError

__all__ = ["split_address"]

_CHOICES = {"array": str, "axes": str, "slice_index": int}


def split_address(path: str | os.PathLike[str]) -> tuple[Path, dict[str, Any]]:
    """Split a path into the file and what it says of the clip in it; see `monai_feat.data.open_clip` for the names.

    A file that is there under the whole name is that file, even with a ``#`` in it.

    Raises:
        VideoReadError: a name is unknown or comes twice, or a value is not as it should be.

    Example:
        >>> split_address("a/echo.h5#array=scan/frames&axes=TCHW")
        (PosixPath('a/echo.h5'), {'array': 'scan/frames', 'axes': 'TCHW'})
    """
    file, _, said = os.fspath(path).rpartition("#")
    if not file or "=" not in said or os.path.lexists(path):
        return Path(path), {}
    choices: dict[str, Any] = {}
    for name, value in parse_qsl(said.replace("+", "%2B"), keep_blank_values=True):
        if name not in _CHOICES or name in choices:
            raise VideoReadError(file, f"says #{said}; expected each of {', '.join(_CHOICES)} once at most, "
                                 "such as #array=frames&axes=THWC")  # fmt: skip
        choices[name] = _read(file, name, value)
    return Path(file), choices


def _read(file: str, name: str, value: str) -> Any:
    try:
        return _CHOICES[name](value)
    except ValueError:
        raise VideoReadError(file, f"says {name}={value}; expected a whole number") from None
