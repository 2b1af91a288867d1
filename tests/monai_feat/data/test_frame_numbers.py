# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch
from torch import Tensor

from monai_feat.data import VideoReadError
from monai_feat.data.frame_numbers import check_numbers, read_frames

CLIP = torch.arange(2 * 7 * 3 * 4, dtype=torch.uint8).reshape(2, 7, 3, 4)


def decode(numbers: Sequence[int]) -> Iterator[Tensor]:
    yield from (CLIP[:, number] for number in numbers)


@pytest.mark.parametrize("start", range(7))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_frames_are_those_of_a_slice(start: int, stride: int) -> None:
    rest = CLIP[:, start::stride]
    assert torch.equal(read_frames("a.mp4", 7, decode, start, None, stride), rest)
    assert torch.equal(read_frames("a.mp4", 7, decode, start, rest.shape[1], stride), rest)


@pytest.mark.parametrize(("start", "num_frames", "stride"), [(-1, 1, 1), (0, 0, 1), (0, None, 0)])
def test_what_is_out_of_range_is_named(start: int, num_frames: int | None, stride: int) -> None:
    with pytest.raises(ValueError, match=f"got {start}, {num_frames} and {stride}"):
        read_frames("a.mp4", 7, decode, start, num_frames, stride)


def test_a_start_past_the_end_is_named() -> None:
    with pytest.raises(VideoReadError, match=r"^a\.mp4: has 7 frames; reading was to begin at frame 7"):
        read_frames("a.mp4", 7, decode, 7)


def test_more_than_the_memory_holds_is_one_line() -> None:
    frame = torch.zeros(1, dtype=torch.uint8).expand(3, 1 << 14, 1 << 14)
    with pytest.raises(VideoReadError, match=r"^a\.mp4: does not fit into memory \(.* GiB for .* frames\)"):
        read_frames("a.mp4", 1 << 20, lambda numbers: iter([frame]))


@pytest.mark.parametrize("numbers", [[], [0], [0, 6], range(1, 7, 2)])
def test_increasing_numbers_of_the_clip_pass(numbers: Sequence[int]) -> None:
    check_numbers("a.mp4", numbers, 7)


def test_other_numbers_do_not() -> None:
    for numbers in ([3, 3], [4, 2], [-1, 2]):
        with pytest.raises(ValueError, match="strictly increasing"):
            check_numbers("a.mp4", numbers, 7)
    with pytest.raises(VideoReadError, match="has 7 frames; asked for were 2 frames, numbers 2 to 7"):
        check_numbers("a.mp4", [2, 7], 7)
