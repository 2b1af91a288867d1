# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One training, one folder."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["claim_output_dir"]


def claim_output_dir(output_dir: str | os.PathLike[str], resume_from: str | os.PathLike[str] | None = None) -> None:
    """Refuse a folder with the checkpoints of another training, whose curves and files would mix with the new ones.

    Args:
        output_dir: folder of the training's results; it need not exist.
        resume_from: the checkpoint that the training goes on from; then the folder may be that of the earlier part.

    Raises:
        FileExistsError: when the folder holds checkpoints and nothing is resumed.
    """
    checkpoints = sorted(Path(output_dir).glob("checkpoints/*.pt"))
    if checkpoints and resume_from is None:
        raise FileExistsError(
            f"{output_dir} holds the checkpoints of another training; name another --output_dir, remove it, or go on "
            f"from it: --resume_from {max(checkpoints, key=lambda path: path.stat().st_mtime)}"
        )
