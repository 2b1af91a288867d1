# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The one error of all readers of clips."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["VideoReadError", "shown_path"]


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path as text of one line that can be written anywhere, whatever bytes its name is made of."""
    text = os.fspath(path)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


class VideoReadError(ValueError):
    """A file that is not a readable clip, or has not the frames asked for; the message is one line that names the file.

    Attributes:
        path: the file.
        reason: the message without the file.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        # What a damaged file says about itself, which many a reason quotes, may have line breaks.
        reason = " ".join(reason.split())
        super().__init__(f"{shown_path(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[VideoReadError], tuple[str, str]]:
        # Exceptions raised in a data loader's worker are rebuilt in the main process from these arguments.
        return type(self), (os.fspath(self.path), self.reason)
