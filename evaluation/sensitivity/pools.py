# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Real clips to corrupt: phantoms, of other patients for each seed, or windows of recorded clips."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from monai_feat.data.source_names import is_phantom, parse_phantom

from ..reading.agreement import common_colour, common_size
from ..reading.clips import ClipSet, cut_windows, evenly_spaced
from ..reading.sources import SourceOptions, open_side

__all__ = ["PoolOptions", "open_pool"]


@dataclass(frozen=True)
class PoolOptions:
    """How clips are taken from their source.

    Attributes:
        num_clips: at most so many, of recordings evenly spaced over the source.
        size: rows and columns; None takes that of the clips, which must be one.
        reading: frames of a clip, patients, and what to do about clips that cannot be used.
    """

    num_clips: int = 32
    size: tuple[int, int] | None = None
    reading: SourceOptions = field(default_factory=SourceOptions)


def open_pool(spec: str, options: PoolOptions, seed: int) -> ClipSet:
    """Open clips for one repeat; another seed takes other windows, or other phantoms where `spec` names no seed.

    Args:
        spec: as on the command line of an evaluation: a folder, a datalist, ``phantom:ultrasound``.
        options: how clips are taken.
        seed: of the repeat.

    Raises:
        SourceError: there are fewer than two usable clips, or sizes differ and none was asked for.
        VideoReadError: a clip cannot be read.
    """
    reading = options.reading
    if is_phantom(spec):
        reading = replace(reading, max_clips=options.num_clips)
        if parse_phantom(spec).seed is None:
            spec = f"{spec}:{seed}"
    side = open_side("DATA", spec, reading)
    side.recordings = [side.recordings[i] for i in evenly_spaced(len(side.recordings), options.num_clips)]
    size = common_size([side], options.size)
    colour, _ = common_colour([side], size)
    windows = cut_windows(side, "random", reading, seed)
    return ClipSet(side, windows, size, 1 if colour == "grey" else 3)
