# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a generator is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monai_feat.data import ClipItem

from ..study import Data, Generator

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """What a generator is asked for, in one fold and for one fraction of the real data.

    Attributes:
        data: the form of the clips.
        generator: which one, with its budget.
        train: labelled clips of the training patients, the only ones that it may see.
        num_clips: how many clips are wanted.
        folder: where to write; what an interrupted attempt has left there may be used.
        seed: of this fold.
        progress: print what is done.
    """

    data: Data
    generator: Generator
    train: Sequence[ClipItem]
    num_clips: int
    folder: Path
    seed: int
    progress: bool = True

    def stem(self, index: int) -> Path:
        """Path without suffix of a synthetic clip."""
        return self.folder / "samples" / f"clip_{index:06d}"
