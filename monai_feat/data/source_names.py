# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How sources of clips are written, in every command and every config alike.

| written | stands for |
|---|---|
| ``clips`` | a folder of clips, or one file |
| ``datalist.json``, ``datalist.json:training`` | the training clips of a datalist |
| ``datalist.json:testing``, ``:fold0``, ``:all`` | those that are held out, those of one fold, all |
| ``phantom:ultrasound``, ``phantom:ultrasound:1`` | procedural clips, by a seed of their own |
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from monai_feat.data.datalist import ClipItem, Datalist, DatalistError, read_datalist

__all__ = [
    "PHANTOM_PREFIX",
    "PhantomName",
    "choose_items",
    "datalist_of",
    "held_out_source",
    "is_phantom",
    "is_source",
    "items_of",
    "parse_phantom",
]

PHANTOM_PREFIX = "phantom:"
TRAINING, TESTING, ALL = "training", "testing", "all"
_DATALIST = re.compile(r"(?P<file>.+\.json)(?::(?P<side>\w+))?", re.IGNORECASE)
_PHANTOM = re.compile(rf"{PHANTOM_PREFIX}(?P<kind>\w+)(?::(?P<seed>\d+))?")


class PhantomName(NamedTuple):
    """What ``phantom:ultrasound:1`` says.

    Attributes:
        kind: of the phantom.
        seed: None where none was named.
    """

    kind: str
    seed: int | None


def is_phantom(source: str | os.PathLike[str]) -> bool:
    """Whether a source names procedural clips."""
    return str(source).startswith(PHANTOM_PREFIX)


def is_source(path: str | os.PathLike[str]) -> bool:
    """Whether a path names many clips, and not one file: a folder, a datalist or a phantom.

    Example:
        >>> is_source("phantom:endoscopy"), is_source("datalist.json:testing"), is_source("clip.nii.gz")
        (True, True, False)
    """
    return is_phantom(path) or datalist_of(path) is not None or Path(path).is_dir()


def parse_phantom(source: str | os.PathLike[str]) -> PhantomName:
    """Read the name of a phantom.

    Raises:
        ValueError: it is of another form.

    Example:
        >>> parse_phantom("phantom:ultrasound:1")
        PhantomName(kind='ultrasound', seed=1)
    """
    match = _PHANTOM.fullmatch(str(source))
    if match is None:
        raise ValueError(f"expected {PHANTOM_PREFIX}NAME or {PHANTOM_PREFIX}NAME:SEED, got {str(source)!r}")
    return PhantomName(match["kind"], None if match["seed"] is None else int(match["seed"]))


def datalist_of(source: str | os.PathLike[str]) -> tuple[Path, str] | None:
    """Split a source into the file of a datalist and the side that is meant; None where it is not a datalist.

    Example:
        >>> datalist_of("clips/datalist.json:testing")
        (PosixPath('clips/datalist.json'), 'testing')
    """
    match = _DATALIST.fullmatch(str(source))
    if match is None or Path(source).is_dir():
        return None
    return Path(match["file"]), match["side"] or TRAINING


def choose_items(datalist: Datalist, side: str, name: str) -> tuple[ClipItem, ...]:
    """Return the clips of one side of a datalist.

    Args:
        datalist: that has them.
        side: ``training``, ``testing``, ``all`` or a fold, such as ``fold0``.
        name: of the datalist, for the message.

    Raises:
        DatalistError: there is no clip on that side; lists the sides that there are.
    """
    sides = {TRAINING: datalist.training, TESTING: datalist.testing, ALL: datalist.training + datalist.testing}
    for fold in sorted({item.fold for item in datalist.training if item.fold is not None}):
        sides[f"fold{fold}"] = tuple(item for item in datalist.training if item.fold == fold)
    if not sides.get(side):
        there = [known for known, items in sides.items() if items]
        ask = f"{', '.join(there)}; write {name}:{there[0]}" if there else "none at all"
        raise DatalistError(f"{name}: has no clips under {side!r}; there are {ask}")
    return sides[side]


def items_of(source: str | os.PathLike[str]) -> tuple[ClipItem, ...] | None:
    """Return the clips that a source takes from a datalist; None where it is not a datalist.

    Raises:
        DatalistError: the file is not a datalist, or leaks, or has no clip on that side.
        OSError: the file cannot be read.
    """
    named = datalist_of(source)
    return None if named is None else choose_items(read_datalist(named[0]), named[1], str(named[0]))


def held_out_source(source: str | os.PathLike[str]) -> str | None:
    """Return the source of clips like these that a training on `source` never sees; None where there are none.

    For the training clips of a datalist, these are its held-out clips. Procedural clips never end: those of a seed have
    the next one, and those without a seed are told apart by who opens them, see `open_clips`.

    Raises:
        DatalistError: the datalist is none, or leaks.
        OSError: the datalist cannot be read.
    """
    if is_phantom(source):
        kind, seed = parse_phantom(source)
        return str(source) if seed is None else f"{PHANTOM_PREFIX}{kind}:{seed + 1}"
    named = datalist_of(source)
    if named is None or named[1] != TRAINING or not read_datalist(named[0]).testing:
        return None
    return f"{named[0]}:{TESTING}"
