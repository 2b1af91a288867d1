# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Unpacking what is packed as a whole, as far as `ReadLimits` allow."""

from __future__ import annotations

import io
import os
import zlib
from typing import BinaryIO

from monai_feat.data.limits import allowed_inflation
from monai_feat.data.read_error import VideoReadError

__all__ = ["GZIP_OR_ZLIB", "RAW_DEFLATE", "inflated"]

RAW_DEFLATE, GZIP_OR_ZLIB = -zlib.MAX_WBITS, 32 + zlib.MAX_WBITS
_CHUNK = 1 << 20


def inflated(path: str | os.PathLike[str], packed: BinaryIO, kind: int, before: bytes = b"") -> io.BytesIO:
    """Unpack the rest of a stream.

    Args:
        path: of the file, for messages.
        packed: stands where what is packed begins.
        kind: `RAW_DEFLATE` or `GZIP_OR_ZLIB`.
        before: bytes to put in front of the result.

    Returns:
        A stream at its end.

    Raises:
        VideoReadError: there is more than the limits allow.
        zlib.error: it is damaged.
    """
    whole = io.BytesIO()
    whole.write(before)
    most, inflate = allowed_inflation(path), zlib.decompressobj(kind)
    data = packed.read(_CHUNK)
    while data and not inflate.eof:
        whole.write(inflate.decompress(data, _CHUNK))
        if whole.tell() > most:
            raise VideoReadError(
                path,
                f"unpacks to more than {most} bytes; raise the limit if that is right: "
                "reading_limits(inflated_bytes=…)",
            )
        data = inflate.unconsumed_tail or packed.read(_CHUNK)
    return whole
