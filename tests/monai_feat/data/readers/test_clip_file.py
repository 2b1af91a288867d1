# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from monai_feat.data.limits import reading_limits
from monai_feat.data.readers.clip_file import ClipFile, VideoReadError, as_read_error, one_line, warn_of_remarks


class Counter(ClipFile):
    """Frame i is the number i everywhere."""

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        return (torch.full((self.channels, *self.size), i, dtype=torch.uint8) for i in numbers)


@pytest.mark.parametrize(("start", "count", "stride"), [(0, None, 1), (3, None, 4), (2, 3, 2), (19, 1, 7)])
def test_reading_is_slicing(start: int, count: int | None, stride: int) -> None:
    stop = None if count is None else start + stride * count
    clip = Counter("a", 20, 10.0, (2, 3)).read(start, count, stride)
    assert clip.shape[::2] == (3, 2)
    assert clip[0, :, 1, 2].tolist() == list(range(20))[start:stop:stride]


def test_frames_that_are_not_there_are_named() -> None:
    clip = Counter("a.mp4", 20, 10.0, (2, 3))
    with pytest.raises(VideoReadError, match="has 20 frames; asked for were 3 frames, numbers 16 to 20"):
        clip.read(16, 3, 2)
    with pytest.raises(VideoReadError, match="begin at frame 20"):
        clip.read(20)
    with pytest.raises(ValueError, match="stride >= 1"):
        clip.read(stride=0)
    for numbers in ([3, 3], [4, 2], [-1, 2]):
        with pytest.raises(ValueError, match="strictly increasing"):
            next(clip.iter_frames(numbers))


@pytest.mark.parametrize(("frames", "size", "complaint"), [(0, (2, 3), "no frames"), (1, (1 << 14, 1 << 13), "claims")])
def test_what_no_device_makes_is_refused(frames: int, size: tuple[int, int], complaint: str) -> None:
    with pytest.raises(VideoReadError, match=complaint):
        Counter("a.mp4", frames, 10.0, size)


def test_more_than_a_file_can_mean_is_one_line_and_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(1000))
    clip = Counter(tmp_path / "a.mp4", 60, 10.0, (1 << 11, 1 << 11))
    with pytest.raises(VideoReadError, match=r"does not fit into memory: 60 frames are 0\.7 GiB, .* 1000 bytes"):
        clip.read()
    assert clip.read(0, 2).shape[1] == 2
    with reading_limits(read_bytes=24), pytest.raises(VideoReadError, match=r"reading_limits\(read_bytes=…\)"):
        clip.read(0, 2)


def test_errors_of_libraries_become_one_line() -> None:
    with pytest.raises(VideoReadError, match=r"^a: is damaged \(two lines\)$"), as_read_error("a", "is damaged"):
        raise OSError("two\n lines")
    with pytest.raises(VideoReadError, match=r"^b: kept$"), as_read_error("a", "is damaged"):
        raise VideoReadError("b", "kept")
    assert one_line(EOFError()) == "EOFError"
    assert len(one_line(ValueError("x" * 999))) == 160


@pytest.mark.parametrize(
    ("rate", "used"), [(7e44, 0.0), (float("inf"), 0.0), (float("nan"), 0.0), (1e-9, 0.0), (25.0, 25.0)]
)
def test_rates_that_cannot_be_are_remarked_and_not_used(rate: float, used: float) -> None:
    clip = Counter("a.mp4", 20, rate, (2, 3))
    assert clip.frame_rate == used
    assert len(clip.remarks) == (rate != used)
    spaced = Counter("a.mp4", 20, 25.0, (2, 3), spacing=(1e9, 0.2))
    assert all(step != step for step in spaced.spacing)
    assert "1e+09 x 0.2 mm, which cannot be" in spaced.remarks[0]


def test_remarks_are_told_once_for_each_kind() -> None:
    remarks = {Path("a.mp4"): ("it is odd",), Path("b.mp4"): ("it is odd", "it is old"), Path("c.mp4"): ()}
    with pytest.warns(UserWarning, match="it is") as caught:
        warn_of_remarks(remarks)
    assert [str(warning.message) for warning in caught] == [
        "a.mp4 and 1 of 3 clips more: it is odd",
        "b.mp4: it is old",
    ]
