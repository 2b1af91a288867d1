# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Video files and single still images, by PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from torch import Tensor

from monai_feat.data.readers.clip_file import ClipFile
from monai_feat.data.video_reader import iter_frames, probe_video

__all__ = ["VideoFile"]


class VideoFile(ClipFile):
    """A video, or a still image, which is a clip of one frame; always RGB, converted as in `read_video`.

    Raises:
        VideoReadError: the file is missing, empty, no video, truncated, damaged or without a frame.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        info = probe_video(path)
        super().__init__(path, info.frames, info.frame_rate, (info.height, info.width))

    def _decode(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        return iter_frames(self.path, numbers)
