# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One training, one folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["claim_output_dir", "epoch_of", "find_checkpoint"]


def find_checkpoint(
    resume_from: str | os.PathLike[str] | None, output_dir: str | os.PathLike[str]
) -> str | os.PathLike[str] | None:
    """Return the checkpoint that a training goes on from, if any.

    Args:
        resume_from: a file, returned as it is; ``"last"`` for the one of the latest epoch in `output_dir`, or none
            where there is none yet, so that one command both starts a training and goes on with it; None for none.
        output_dir: folder of the training's results.
    """
    if resume_from != "last":
        return resume_from
    return max(Path(output_dir).glob("checkpoints/*.pt"), key=epoch_of, default=None)


def epoch_of(checkpoint: str | os.PathLike[str] | None) -> int:
    """Return the epoch after which a checkpoint was saved, by its name; 0 for None, or a name without a number."""
    numbers = [] if checkpoint is None else re.findall(r"\d+", Path(checkpoint).stem)
    return int(numbers[-1]) if numbers else 0


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
            f"from it: --resume_from {max(checkpoints, key=epoch_of)}, or --resume_from last"
        )
