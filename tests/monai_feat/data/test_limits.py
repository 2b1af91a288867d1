# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits against numbers worked out by hand, and against zlib itself."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from monai_feat.data.limits import (
    check_decoding,
    check_frames,
    check_inflated,
    check_tensor,
    read_limits,
    reading_limits,
)
from monai_feat.data.read_error import VideoReadError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.bin").write_bytes(bytes(1600))
    return tmp_path / "a.bin"


def test_each_byte_of_the_file_allows_more(file: Path) -> None:
    with reading_limits(frames=10, decoded_pixels=100, read_bytes=1000):
        check_frames(file, 10 + 25, (2, 2))
        check_decoding(file, 100 + 1024 * 1600, (1, 1))
        check_tensor(file, 1000 + 64 * 1600, 1)
        for check, size, option in (
            (lambda n: check_frames(file, n, (2, 2)), 36, "frames"),
            (lambda n: check_decoding(file, n, (1, 1)), 101 + 1024 * 1600, "decoded_pixels"),
            (lambda n: check_tensor(file, n, 1), 1001 + 64 * 1600, "read_bytes"),
        ):
            with pytest.raises(VideoReadError, match=rf"reading_limits\({option}=…\)"):
                check(size)


def test_a_folder_has_the_bytes_of_its_files(file: Path) -> None:
    with reading_limits(frames=0):
        check_frames(file.parent, 25, (2, 2))
        with pytest.raises(VideoReadError, match="claims 26 frames"):
            check_frames(file.parent, 26, (2, 2))


def test_the_ratio_of_deflate_is_what_zlib_reaches_at_the_most(file: Path) -> None:
    length = 10**7
    packed = len(zlib.compress(bytes(length), 9))
    check_inflated(file, length, packed)
    with pytest.raises(VideoReadError, match=f"{packed} packed bytes cannot hold"):
        check_inflated(file, 2 * length, packed)


def test_limits_hold_inside_the_block_only_and_have_known_names() -> None:
    before = read_limits()
    with reading_limits(frames=3) as limits:
        assert read_limits() is limits
        assert limits.frames == 3
    assert read_limits() is before
    with (
        pytest.raises(ValueError, match=r"expected limits among frame_pixels, frames, .*, got size"),
        reading_limits(size=3),
    ):
        pass
