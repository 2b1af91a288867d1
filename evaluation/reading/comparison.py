# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The sides of one comparison: opened, checked against each other, and cut into clips by one protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .agreement import Colour, Difference, common_colour, common_size, differences, overlaps
from .clips import ClipSet, WindowRule, cut_windows
from .protocol import Protocol
from .sources import Side, SourceError, SourceOptions, check_source, open_side

__all__ = ["Comparison", "open_comparison"]

_SHOWN = 3


@dataclass
class Comparison:
    """The sides ``train``, ``fake`` and perhaps ``held_out``, and how clips are cut from them.

    Attributes:
        protocol: with size and colour as found.
        options: how recordings are read.
        sides: by name.
        differing: what differs between them, and was accepted.
    """

    protocol: Protocol
    options: SourceOptions
    sides: dict[str, Side]
    differing: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What differs between the sides, and what was left out of them."""
        return (*self.differing, *_skipped(self.sides.values()))

    def clips(self, name: str, rule: WindowRule | None = None) -> ClipSet:
        """Clips of one side, by the protocol's windows or another rule."""
        side, protocol = self.sides[name], self.protocol
        windows = cut_windows(side, rule or self._rule(name), self.options, protocol.seed)
        if rule is None and name == "fake" and protocol.repeat_fake:
            for again in range(1, -(-(protocol.max_fake or 0) // len(windows))):
                windows += cut_windows(side, self._rule(name), self.options, protocol.seed + again)
        if rule is None and name == "fake":
            windows = windows[: protocol.max_fake]
        if protocol.size is None:
            raise ValueError("expected a protocol with the size that was found, got None")
        channels = 1 if protocol.colour == "grey" else 3
        preparation = (protocol.fit, protocol.resampler, protocol.jpeg_quality)
        return ClipSet(side, windows, protocol.size, channels, *preparation)

    def leave_out(self, name: str, clips: ClipSet, bad: dict[int, str]) -> None:
        """Leave out the recordings whose clips could not be read.

        Raises:
            SourceError: fewer than two are left.
        """
        side = self.sides[name]
        gone = {clips.recording(index) for index in bad}
        side.recordings = [recording for i, recording in enumerate(side.recordings) if i not in gone]
        side.skipped += bad.values()
        if len(side.recordings) < 2:
            raise SourceError(f"{side.label} ({side.spec}): fewer than 2 clips can be read: {side.skipped[0]}")

    def facts(self) -> dict[str, dict[str, Any]]:
        """Where each side comes from."""
        return {name: side.facts() for name, side in self.sides.items()}

    def _rule(self, name: str) -> WindowRule:
        return self.protocol.fake_windows if name == "fake" else self.protocol.real_windows


def open_comparison(
    specs: dict[str, str], protocol: Protocol, options: SourceOptions, accept_differences: bool = False
) -> Comparison:
    """Open all sides and refuse what would make their scores misleading.

    Args:
        specs: what was named for ``train``, ``fake`` and perhaps ``held_out``.
        protocol: how clips are cut; size and colour may be open.
        options: how recordings are read; a grid counts for ``fake`` alone, groups for the others.
        accept_differences: record what misleads as a warning rather than refuse.

    Raises:
        SourceError: a side has too few clips or too short ones, sizes differ, or the sides differ in what misleads.
        VideoReadError: a clip cannot be read.
    """
    for spec in specs.values():
        check_source(spec)
    labels = {"train": "REAL", "fake": "FAKE", "held_out": "HELD"}
    sides = {name: open_side(labels[name], spec, _options_of(name, protocol, options)) for name, spec in specs.items()}
    size = common_size(list(sides.values()), protocol.size)
    colour, found = _colour(list(sides.values()), size, protocol, options)
    for name in ("fake", "held_out"):
        if name in sides:
            found += _differences(sides["train"], sides[name], size, options)
    found += _shared(sides)
    differing = _judge(found, accept_differences)
    return Comparison(replace(protocol, size=size, colour=colour), options, sides, differing)


def _colour(
    sides: list[Side], size: tuple[int, int], protocol: Protocol, options: SourceOptions
) -> tuple[Colour, list[Difference]]:
    """Colour in which all sides are compared; that of the training needs no look at the clips."""
    if protocol.colour is not None and options.reading is not None:
        return protocol.colour, []
    colour, found = common_colour(sides, size)
    if protocol.colour is None:
        return colour, found
    return protocol.colour, [replace(difference, misleads=False) for difference in found]


def _differences(real: Side, other: Side, size: tuple[int, int], options: SourceOptions) -> list[Difference]:
    """What differs between two sides; what a training did to real clips is known to it, and misleads nobody."""
    by_stride = options.frame_rate is None
    if options.reading is None:
        return differences(real, other, size, by_stride)
    return [replace(difference, misleads=False) for difference in differences(real, other, None, by_stride)]


def _options_of(name: str, protocol: Protocol, options: SourceOptions) -> SourceOptions:
    """Synthetic files show grids, and have no patients; real ones have, and become clips as in training."""
    if name == "fake":
        return replace(options, max_clips=protocol.max_fake, group=None, reading=None)
    return replace(options, max_clips=protocol.max_real, grid=None)


def _shared(sides: dict[str, Side]) -> Iterator[Difference]:
    if same := overlaps(sides["fake"], sides["train"]):
        yield Difference(f"{len(same)} of FAKE are files of REAL: {'; '.join(same[:_SHOWN])}")
    if "held_out" in sides and (same := overlaps(sides["held_out"], sides["train"])):
        text = f"{len(same)} of HELD are not held out: {'; '.join(same[:_SHOWN])}"
        yield Difference(text, misleads=True)


def _judge(found: Sequence[Difference], accept: bool) -> list[str]:
    misleading = [difference.text for difference in found if difference.misleads]
    if misleading and not accept:
        raise SourceError(f"{misleading[0]} (--accept-differences scores them all the same, with a warning)")
    return list(dict.fromkeys(difference.text for difference in found))


def _skipped(sides: Iterable[Side]) -> Iterator[str]:
    for side in sides:
        if side.skipped:
            shown = "; ".join(side.skipped[:_SHOWN]) + ("; …" if len(side.skipped) > _SHOWN else "")
            yield f"{len(side.skipped)} of {side.label} left out: {shown}"
