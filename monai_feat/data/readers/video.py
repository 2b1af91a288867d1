# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Video files, by PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from torch import Tensor

from monai_feat.data.limits import PIXELS_PER_BYTE_OF_VIDEO
from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.video_reader import iter_frames, probe_video

__all__ = ["VideoFile"]

_LOSSLESS_CODECS = ("ffv1", "ffvhuff", "gif", "huffyuv", "png", "qtrle", "rawvideo", "utvideo")


class VideoFile(ClipFile):
    """A video, always RGB, converted as in `read_video`.

    Raises:
        VideoReadError: the file is missing, empty, no video, truncated, damaged or without a frame.
    """

    pixels_per_byte = PIXELS_PER_BYTE_OF_VIDEO

    def __init__(self, path: str | os.PathLike[str]) -> None:
        info = probe_video(path)
        super().__init__(path, info.frames, info.frame_rate, (info.height, info.width))
        self.is_lossy = info.codec not in _LOSSLESS_CODECS
        self.remarks += info.remarks

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        return iter_frames(self.path, numbers)
