# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether two sides may be compared: what they were stored as, how fast, how large and in which colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from monai_feat.data import VideoReadError

from .recordings import Recording
from .sources import Side, SourceError

__all__ = ["Colour", "Difference", "common_colour", "common_size", "differences", "overlaps"]

Colour = Literal["grey", "rgb"]

DEFAULT_SIZE = (64, 64)  # of phantoms compared with phantoms
_RATE_TOLERANCE = 1.05
# Mean distance of the largest to the smallest channel; chroma of compressed grey video strays by about one level.
_COLOURED = 3.0
_SAMPLED = 24
_SHOWN = 3


@dataclass(frozen=True)
class Difference:
    """How one side differs from another; `misleads` where a score would measure this instead of the clips."""

    text: str
    misleads: bool = False


def common_size(sides: Sequence[Side], asked: tuple[int, int] | None) -> tuple[int, int]:
    """Size at which all sides are compared: the one asked for, or the one that all clips have.

    Raises:
        SourceError: none was asked for and clips have different sizes.
    """
    if asked is not None:
        return asked
    sizes = Counter(r.size for side in sides for r in side.recordings if r.size is not None)
    if len(sizes) > 1:
        stored = {side.label: [r.size for r in side.recordings if r.size is not None] for side in sides}
        there = "; ".join(f"{label}: {_counts(found)}" for label, found in stored.items() if found)
        smallest = min(min(size) for size in sizes)
        raise SourceError(
            f"the clips have different sizes ({there}); bring all to one by the same filter, for example --size "
            f"{smallest}"
        )
    return next(iter(sizes), DEFAULT_SIZE)


def common_colour(sides: Sequence[Side], size: tuple[int, int]) -> tuple[Colour, list[Difference]]:
    """Colour in which all sides are compared, found by looking at one frame of some clips of each.

    Where most clips of every side are grey, the coloured ones, such as ultrasound with a coloured overlay, are compared
    by their luma.
    """
    shares = {side.label: _coloured_share(side, size) for side in sides}
    if not any(shares.values()):
        return "grey", []
    seen = ", ".join(f"{share:.0%} of {label}" for label, share in shares.items())
    if max(shares.values()) - min(shares.values()) > 0.5:
        text = f"grey against RGB: {seen} are in colour; --colour grey compares the luma of all"
        return "rgb", [Difference(text, misleads=True)]
    if max(shares.values()) < 0.5:
        return "grey", [Difference(f"{seen} are in colour; the luma of all is compared (--colour rgb keeps colour)")]
    is_mixed = any(share < 1 for share in shares.values())
    return "rgb", [Difference(f"grey and coloured clips are mixed: {seen} are in colour")] if is_mixed else []


def differences(real: Side, fake: Side, size: tuple[int, int] | None, by_stride: bool) -> list[Difference]:
    """What else differs between two sides: codec, frame rate, and whether clips were enlarged or reduced.

    Args:
        real: the reference.
        fake: what is compared with it.
        size: at which both are compared; None where the one was made from the other's size, so that it misleads nobody.
        by_stride: whether clips take every n-th frame, whatever the frame rate.
    """
    found = [*_codec_differences(real, fake), *([] if size is None else _size_differences(real, fake, size))]
    return found + (list(_rate_differences(real, fake)) if by_stride else [])


def overlaps(one: Side, other: Side) -> list[str]:
    """Recordings of one side that are, byte for byte, recordings of another one, or of the same patient."""
    digests = {r.digest: r for r in other.recordings}
    patients = {r.patient for r in other.recordings if r.patient}
    found = []
    for recording in one.recordings:
        if recording.digest in digests:
            found.append(f"{recording.name} is the same file as {digests[recording.digest].name}")
        elif recording.patient in patients:
            found.append(f"{recording.name} is of {recording.patient}, who is on both sides")
    return found


def _codec_differences(real: Side, fake: Side) -> Iterator[Difference]:
    codecs = [Counter(r.codec for r in side.recordings) for side in (real, fake)]
    if set(codecs[0]) != set(codecs[1]):
        there = " and ".join(f"{_counts(counter.elements())}" for counter in codecs)
        yield Difference(
            f"{real.label} and {fake.label} are stored differently ({there}); compression of one side alone moves a "
            "distance, some many times over: store both the same way"
        )


def _rate_differences(real: Side, fake: Side) -> Iterator[Difference]:
    rates = [
        median(known) if (known := [r.frame_rate for r in s.recordings if r.frame_rate]) else 0.0 for s in (real, fake)
    ]
    if min(rates) > 0 and max(rates) / min(rates) > _RATE_TOLERANCE:
        yield Difference(
            f"{real.label} has {rates[0]:.4g} frames per second and {fake.label} {rates[1]:.4g}: at the same stride "
            f"they show motion at different speeds; --frame-rate {min(rates):.4g} makes them equal",
            misleads=True,
        )
    for side in (real, fake):
        known = [r.frame_rate for r in side.recordings if r.frame_rate]
        if known and max(known) / min(known) > _RATE_TOLERANCE:
            low, high = min(known), max(known)
            yield Difference(f"{side.label} mixes frame rates from {low:.4g} to {high:.4g} Hz; see --frame-rate")


def _size_differences(real: Side, fake: Side, size: tuple[int, int]) -> Iterator[Difference]:
    histories = [Counter(_history(r, size) for r in side.recordings) for side in (real, fake)]
    for side, history in zip((real, fake), histories, strict=True):
        if enlarged := history["enlarged"]:
            sizes = _counts(r.size for r in side.recordings if _history(r, size) == "enlarged")
            yield Difference(f"{enlarged} of {side.label} are enlarged to {size[0]}x{size[1]} ({sizes}) and so blurred")
    if (histories[0]["reduced"] > 0) != (histories[1]["reduced"] > 0):
        reduced = real if histories[0]["reduced"] else fake
        yield Difference(f"only {reduced.label} is reduced to {size[0]}x{size[1]}, which removes noise from it")


def _history(recording: Recording, size: tuple[int, int]) -> str:
    if recording.size is None or recording.size == size:
        return "kept"
    ratio = max(wanted / have for wanted, have in zip(size, recording.size, strict=True))
    return "enlarged" if ratio > 1 else "reduced"


def _coloured_share(side: Side, size: tuple[int, int]) -> float:
    count = min(_SAMPLED, len(side.recordings))
    looked = [side.recordings[i * len(side.recordings) // count] for i in range(count)]
    return sum(_is_coloured(recording, size) for recording in looked) / count


def _is_coloured(recording: Recording, size: tuple[int, int]) -> bool:
    try:
        frame = next(recording.iter_frames([recording.frames // 2], size))
    except VideoReadError:  # told or left out when all clips are read
        return False
    spread = frame.amax(dim=0).float() - frame.amin(dim=0).float()
    return bool(spread.mean() > _COLOURED)


def _counts(values: Sequence[object] | Iterator[object]) -> str:
    counted = Counter("x".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in values)
    shown = ", ".join(f"{count} {value}" for value, count in counted.most_common(_SHOWN))
    return shown + (f", {len(counted) - _SHOWN} more" if len(counted) > _SHOWN else "")
