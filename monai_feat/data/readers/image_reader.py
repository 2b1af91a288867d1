# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The readers as one `ImageReader` that MONAI's ``LoadImage`` finds by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from monai.config import PathLike
from monai.data import ImageReader
from monai.transforms.io.array import SUPPORTED_READERS
from monai.utils import ensure_tuple

from monai_feat.data.readers.clip_file import ClipFile, warn_of_remarks
from monai_feat.data.readers.dicom import dicom_modality, is_dicom
from monai_feat.data.readers.frame_folder import list_stills
from monai_feat.data.readers.load import clip_meta, open_clip
from monai_feat.data.video_reader import VIDEO_SUFFIXES, VideoReadError

__all__ = ["VideoReader"]

# Ultrasound, intravascular ultrasound, endoscopy: modalities that make clips. CT and MR stay with MONAI's readers.
_CINE_MODALITIES = ("US", "IVUS", "ES")


class VideoReader(ImageReader):
    """Read clips with MONAI's ``LoadImage`` and ``LoadImaged``.

    Importing `monai_feat` registers it, and ``LoadImage()`` then takes it for video files, for folders of frames,
    and for DICOM files that are ultrasound or endoscopy. Other files stay with MONAI's readers; name this reader,
    ``LoadImage(reader="VideoReader")``, to read NIfTI, MetaImage, stills or other DICOM as clips. Pixels are uint8
    ``(C, T, H, W)`` with the metadata of `clip_meta`; ``LoadImage`` turns them into float32 unless told ``dtype=None``.

    Args:
        start: number of the first frame, from 0.
        num_frames: frames to return; ``None`` reads to the end.
        stride: step between frames, in frames of the file.
        frame_rate: frame rate in Hz of clips that have none of their own, such as folders of frames.
        array: see `open_clip`.
        axes: see `open_clip`.
        slice_index: see `open_clip`.
    """

    def __init__(
        self,
        start: int = 0,
        num_frames: int | None = None,
        stride: int = 1,
        frame_rate: float | None = None,
        array: str | None = None,
        axes: str | None = None,
        slice_index: int | None = None,
    ) -> None:
        super().__init__()
        if frame_rate is not None and not frame_rate > 0:
            raise ValueError(f"expected a frame_rate above 0 Hz or None, got {frame_rate}")
        self.options: dict[str, Any] = {"array": array, "axes": axes, "slice_index": slice_index}
        self.start, self.num_frames, self.stride, self.frame_rate = start, num_frames, stride, frame_rate

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether ``LoadImage`` should take this reader for a file, unless it was told which one to take."""
        paths = [Path(name) for name in ensure_tuple(filename)]
        return len(paths) == 1 and _is_clip(paths[0])

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> ClipFile:
        """Open one clip.

        Raises:
            VideoReadError: the clip cannot be read.
            ValueError: several files, or options, were given.
        """
        paths = ensure_tuple(data)
        if len(paths) != 1 or kwargs:
            raise ValueError(f"expected one file or one folder of frames and no options, got {paths} and {kwargs}")
        clip = open_clip(paths[0], **self.options)
        warn_of_remarks({clip.path: clip.remarks})
        return clip

    def get_data(self, img: ClipFile) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """Decode the frames: uint8 ``(C, T, H, W)``, and their metadata."""
        if not img.frame_rate and self.frame_rate:
            img.frame_rate = self.frame_rate
        pixels = img.read(self.start, self.num_frames, self.stride).numpy()
        return pixels, clip_meta(img, pixels.shape, self.start, self.stride)


def _is_clip(path: Path) -> bool:
    if path.is_dir():
        return bool(list_stills(path)) and not any(is_dicom(file) for file in path.iterdir())
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return True
    try:
        return is_dicom(path) and dicom_modality(path) in _CINE_MODALITIES
    except VideoReadError:
        return False


SUPPORTED_READERS["videoreader"] = VideoReader
