# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One training, one folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from torch import nn

from monai_feat.checkpoints import CheckpointError, load_checkpoint
from monai_feat.files import check_folder, first_few

__all__ = ["claim_output_dir", "epoch_of", "find_checkpoint"]

_COPIES = 4  # of the weights in a checkpoint: they, their average, and two moments of Adam


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


def claim_output_dir(
    output_dir: str | os.PathLike[str],
    resume_from: str | os.PathLike[str] | None = None,
    network: nn.Module | None = None,
    checkpoints_kept: int = 1,
) -> None:
    """Refuse a folder that cannot be written or has too little room, or has checkpoints of another training.

    Those would mix with the new ones, and so would curves and sheets. Nothing is written yet.

    Args:
        output_dir: folder of the training's results; it need not exist.
        resume_from: the checkpoint that the training goes on from; then the folder may be that of the earlier part. It
            is read, for a damaged one would be noticed after the clips were read.
        network: what is trained, for the room that checkpoints take; None asks for none.
        checkpoints_kept: how many checkpoints there will be at once, but for the one that is being written.

    Raises:
        FileExistsError: when the folder holds checkpoints and nothing is resumed.
        OSError: when it cannot be written, has too little room, or there is no such checkpoint.
        CheckpointError: when the checkpoint is damaged, or holds weights alone.
    """
    check_folder(output_dir, 0 if network is None else _COPIES * (checkpoints_kept + 1) * _num_bytes(network))
    checkpoints = sorted(Path(output_dir).glob("checkpoints/*.pt"))
    if checkpoints and resume_from is None:
        raise FileExistsError(
            f"{output_dir} holds the checkpoints of another training; name another --output_dir, remove it, or go on "
            f"from it: --resume_from {max(checkpoints, key=epoch_of)}, or --resume_from last"
        )
    if resume_from is not None:
        _check_checkpoint(Path(resume_from))


def _check_checkpoint(path: Path) -> None:
    # The tensors of a checkpoint are not needed here; safetensors knows no device without them.
    state = load_checkpoint(path, "cpu" if path.suffix == ".safetensors" else "meta")
    if "trainer" not in state:
        raise CheckpointError(
            f"{path}: no checkpoint of a training; it holds {first_few(list(state))}. A file of weights alone starts a "
            "training, but cannot resume one"
        )


def _num_bytes(network: nn.Module) -> int:
    return sum(parameter.nbytes for parameter in network.parameters())
