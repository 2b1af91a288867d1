# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Times of a video's pictures, read group by group as they are needed rather than from all of the file.

The table at the head of an mp4 or mov file says where each packet lies, which ones are keyframes and how many there
are; but, as FFmpeg hands it out, not when each picture is shown. That is found from the packets of one group: a
keyframe and all up to the next. An item of a long file then costs no more than one of a short file. Every picture of a
group is shown before every picture of the next group, so numbers count through.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, overload

__all__ = ["FrameGroups", "GroupError", "PacketTime"]


class GroupError(Exception):
    """Packets contradict the table; the caller has to look at all of them."""


class PacketTime(NamedTuple):
    """When one packet is decoded and shown, in the stream's unit."""

    dts: int | None
    pts: int | None


class FrameGroups(Sequence[int]):
    """The times at which frames are shown, in order, as if they were all there.

    Args:
        frames: number of frames.
        starts: place in the file's order of each keyframe; the first is 0.
        stamps: decoding time of each keyframe.
        packets_from: yields the packets of the stream from the keyframe with a decoding time; ``None`` is the first.
    """

    def __init__(
        self,
        frames: int,
        starts: Sequence[int],
        stamps: Sequence[int],
        packets_from: Callable[[int | None], Iterator[PacketTime]],
    ) -> None:
        self._frames, self._starts, self._stamps = frames, starts, stamps
        self._packets_from = packets_from
        self._groups: dict[int, tuple[tuple[int, ...], int]] = {}

    def __len__(self) -> int:
        return self._frames

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            return [self[i] for i in range(self._frames)[index]]
        frame = range(self._frames)[index]
        group = self._group_of(frame)
        return self._read(group)[0][frame - self._starts[group]]

    def keyframe_before(self, frame: int) -> int:
        """Number of the last keyframe that is shown not after `frame`.

        Raises:
            GroupError: there is none, or packets contradict the table.
        """
        group = self._group_of(frame)
        keyframe = self._keyframe(group)
        # Pictures may be stored behind a keyframe and shown before it; they need the keyframe before.
        if keyframe <= frame:
            return keyframe
        if group == 0:
            raise GroupError
        return self._keyframe(group - 1)

    def _group_of(self, frame: int) -> int:
        return bisect_right(self._starts, frame) - 1

    def _keyframe(self, group: int) -> int:
        return self._starts[group] + self._read(group)[1]

    def _read(self, group: int) -> tuple[tuple[int, ...], int]:
        """Times of one group in order, and the place of its keyframe among them."""
        if group not in self._groups:
            stop = self._starts[group + 1] if group + 1 < len(self._starts) else self._frames
            length = stop - self._starts[group]
            stamp = self._stamps[group] if group else None
            packets = list(islice(self._packets_from(stamp), length))
            times = sorted({packet.pts for packet in packets if packet.pts is not None})
            if len(times) != length or (group and packets[0].dts != stamp) or packets[0].pts is None:
                raise GroupError
            self._groups[group] = (tuple(times), times.index(packets[0].pts))
        return self._groups[group]
