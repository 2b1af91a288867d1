# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monai_feat.data.inflate import GZIP_OR_ZLIB, RAW_DEFLATE, inflated
from monai_feat.data.limits import reading_limits
from monai_feat.data.read_error import VideoReadError


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("pack", "kind"), [(raw_deflate, RAW_DEFLATE), (gzip.compress, GZIP_OR_ZLIB), (zlib.compress, GZIP_OR_ZLIB)]
)
def test_what_was_packed_comes_back_behind_what_is_put_before(
    tmp_path: Path, pack: Callable[[bytes], bytes], kind: int
) -> None:
    data = np.random.default_rng(0).integers(0, 9, 3 << 20, np.uint8).tobytes()
    (tmp_path / "a").write_bytes(pack(data))
    whole = inflated(tmp_path / "a", io.BytesIO(pack(data) + b"behind"), kind, b"head")
    assert whole.getvalue() == b"head" + data
    assert whole.tell() == len(data) + 4


def test_more_than_the_limits_allow_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(5 << 20))
    (tmp_path / "a").write_bytes(bomb)
    with reading_limits(inflated_bytes=0), pytest.raises(VideoReadError, match=r"reading_limits\(inflated_bytes=…\)"):
        inflated(tmp_path / "a", io.BytesIO(bomb), GZIP_OR_ZLIB)
    with pytest.raises(zlib.error):
        inflated(tmp_path / "a", io.BytesIO(b"no zlib"), GZIP_OR_ZLIB)
