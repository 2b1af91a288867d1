# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest

from monai_feat.data.frame_groups import FrameGroups, GroupError, PacketTime

# Packets as they are stored; the groups begin at 0, 4 and 7. The picture at 5 is shown before its keyframe.
PACKETS = [PacketTime(d, p) for d, p in [(0, 10), (10, 40), (20, 20), (30, 30), (40, 60), (50, 50), (60, 70), (70, 80)]]
STARTS = [0, 4, 7]


class File:
    """Packets from a keyframe on, and how many were taken."""

    def __init__(self, packets: list[PacketTime]) -> None:
        self.packets, self.taken = packets, 0

    def __call__(self, stamp: int | None) -> Iterator[PacketTime]:
        first = 0 if stamp is None else [packet.dts for packet in self.packets].index(stamp)
        for packet in self.packets[first:]:
            self.taken += 1
            yield packet


def groups(file: File) -> FrameGroups:
    return FrameGroups(len(PACKETS), STARTS, [0, 40, 70], file)


def test_it_is_the_sorted_list_of_all_times() -> None:
    times, expected = groups(File(PACKETS)), sorted(packet.pts for packet in PACKETS if packet.pts is not None)
    assert list(times) == expected
    assert [times[i] for i in range(-8, 0)] == expected
    assert times[1:7:2] == expected[1:7:2]
    with pytest.raises(IndexError):
        times[8]


def test_only_the_groups_asked_for_are_read_and_once() -> None:
    file = File(PACKETS)
    times = groups(file)
    assert times[7] == 80
    assert file.taken == 1
    assert (times[4], times[5], times[6]) == (50, 60, 70)
    assert file.taken == 4


def test_a_picture_shown_before_its_keyframe_needs_the_one_before() -> None:
    # Keyframes are shown as the frames 0, 5 and 7.
    assert [groups(File(PACKETS)).keyframe_before(i) for i in range(8)] == [0, 0, 0, 0, 0, 5, 5, 7]


@pytest.mark.parametrize(
    "packets",
    [
        PACKETS[:6],
        [*PACKETS[:5], PacketTime(50, 60), *PACKETS[6:]],
        [*PACKETS[:4], PacketTime(40, None), *PACKETS[5:]],
    ],
    ids=["missing", "same time twice", "no time"],
)
def test_packets_that_contradict_the_table_are_an_error(packets: list[PacketTime]) -> None:
    with pytest.raises(GroupError):
        groups(File(packets))[4]


def test_a_picture_shown_before_the_first_keyframe_is_an_error() -> None:
    times = groups(File([PacketTime(0, 40), PacketTime(10, 30), PacketTime(20, 20), PacketTime(30, 10), *PACKETS[4:]]))
    with pytest.raises(GroupError):
        times.keyframe_before(0)
