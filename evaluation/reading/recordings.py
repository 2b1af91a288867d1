# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a clip can be taken from: a video in a file, one tile of a grid of samples, a procedural scene."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import repeat
from pathlib import Path

import torch
from torch import Tensor

from monai_feat.data import PhantomDataset, open_clip, probe_video
from monai_feat.data.preprocessing import Preprocessing, preprocess_frames
from monai_feat.data.readers.dicom import DicomFile
from monai_feat.data.readers.frame_folder import FrameFolder, list_stills
from monai_feat.data.readers.still import StillFile
from monai_feat.data.readers.video import VideoFile
from monai_feat.files import file_sha256
from monai_feat.transforms import to_uint8

__all__ = ["FileRecording", "PhantomRecording", "Recording", "TileRecording", "file_digest", "find_tiles"]

_BLOCK = 2**20
Region = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""


class Recording(ABC):
    """One video of a side, opened but not decoded.

    Args:
        name: for people; unique within its side.
        patient: the patient or sequence it belongs to; empty where that is unknown.
        frames: number of frames.
        frame_rate: Hz; 0.0 where it has none.
        size: rows and columns in pixels; None where it is rendered at any size that is asked for.
        codec: how pixels are stored, such as ``h264``, ``png frames`` or ``DICOM``.
    """

    def __init__(
        self, name: str, patient: str, frames: int, frame_rate: float, size: tuple[int, int] | None, codec: str
    ) -> None:
        self.name, self.patient = name, patient
        self.frames, self.frame_rate, self.size, self.codec = frames, frame_rate, size, codec

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, the same on every machine and whatever the name."""
        return self._digest()

    @property
    def group(self) -> str:
        """The group that no split divides: the patient, or else this recording alone, by its content."""
        return self.patient or self.digest[:16]

    @abstractmethod
    def _digest(self) -> str: ...

    @abstractmethod
    def iter_frames(self, numbers: Sequence[int], size: tuple[int, int]) -> Iterator[Tensor]:
        """Yield frames with strictly increasing numbers, uint8 ``(C, H, W)``.

        Args:
            numbers: of the frames.
            size: rows and columns to render at; what is stored comes as it is.

        Raises:
            VideoReadError: a frame cannot be decoded.
        """


class FileRecording(Recording):
    """A file, or a folder of frames, of any format that `open_clip` reads.

    Args:
        path: of the file.
        name: as for `Recording`.
        patient: as for `Recording`.
        preprocessing: what a training did to its frames at full size; frames that are asked for together pass it
            together.
        still_frames: how many frames a clip of one frame has, which shows it standing still.

    Raises:
        VideoReadError: there is no clip that can be read.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        patient: str = "",
        preprocessing: Preprocessing | None = None,
        still_frames: int = 1,
    ) -> None:
        self.path, self._clip, self._preprocessing = path, open_clip(path), preprocessing
        clip = self._clip
        frames = still_frames if clip.frames == 1 else clip.frames
        super().__init__(name, patient, frames, clip.frame_rate, clip.size, _codec(path, clip))

    def _digest(self) -> str:
        return file_digest(self.path)

    def iter_frames(self, numbers: Sequence[int], size: tuple[int, int]) -> Iterator[Tensor]:  # noqa: D102
        if self._clip.frames == 1:
            return repeat(next(iter(self._prepared([0]))), len(numbers))
        return self._prepared(numbers)

    def _prepared(self, numbers: Sequence[int]) -> Iterator[Tensor]:
        frames = self._clip.iter_frames(numbers)
        if self._preprocessing is None:
            return frames
        _, after = preprocess_frames(self._preprocessing, list(frames), self._clip, numbers[0])
        return iter(torch.as_tensor(after).unbind(1))


class TileRecording(Recording):
    """One tile of a video that shows a grid of samples."""

    def __init__(self, grid: FileRecording, region: Region, number: int) -> None:
        name = f"{grid.name}#{number}"
        super().__init__(name, "", grid.frames, grid.frame_rate, region[2:], grid.codec)
        self._grid, self._region, self._number = grid, region, number

    def _digest(self) -> str:
        return hashlib.sha256(f"{self._grid.digest} {self._region}".encode()).hexdigest()

    def iter_frames(self, numbers: Sequence[int], size: tuple[int, int]) -> Iterator[Tensor]:  # noqa: D102
        top, left, height, width = self._region
        grids = _decode(self._grid.path, tuple(numbers))
        yield from grids[..., top : top + height, left : left + width]


class PhantomRecording(Recording):
    """A procedural clip, rendered at the size that is asked for; has as many frames as are needed."""

    def __init__(self, kind: str, seed: int, index: int, frames: int, frame_rate: float) -> None:
        self._kind, self._seed, self._index = kind, seed, index
        super().__init__(f"{kind}:{seed}#{index}", "", frames, frame_rate, None, "procedural")

    def _dataset(self, size: int | tuple[int, int]) -> PhantomDataset:
        return PhantomDataset(self._kind, self._index + 1, self._seed, size, self.frames, frame_rate=self.frame_rate)

    def _digest(self) -> str:
        return self._dataset(64).clip_key(self._index) or ""

    def iter_frames(self, numbers: Sequence[int], size: tuple[int, int]) -> Iterator[Tensor]:  # noqa: D102
        clip = to_uint8(self._dataset(size)[self._index]["image"])
        yield from clip[:, list(numbers)].unbind(dim=1)


def file_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file, or of all stills in a folder of frames, in natural order."""
    return file_sha256(*([path] if path.is_file() else list_stills(path)))


def find_tiles(frame: Tensor, rows: int, columns: int, border: int) -> list[Region]:
    """Regions of the tiles of a grid, row by row.

    Grids are written with `border` pixels between tiles, and either as many around all of them (torchvision) or none
    before the first and twice as many after the last (Latte, Endora); the first row and column of pixels tell.

    Args:
        frame: the first frame of the grid, ``(C, H, W)``.
        rows: of tiles.
        columns: of tiles.
        border: pixels between two tiles.

    Raises:
        ValueError: the frame is too small for so many tiles.
    """
    height, width = (
        (size - border) // count - border if border else size // count
        for size, count in zip(frame.shape[-2:], (rows, columns), strict=True)
    )
    if min(height, width) < 1:
        raise ValueError(
            f"the frames have {tuple(frame.shape[-2:])} pixels, too few for {rows}x{columns} samples: check --grid and "
            "--grid-border"
        )
    edges = (frame[:, :border], frame[..., :border])
    top = left = border if border and all(bool((edge == edge[:, :1, :1]).all()) for edge in edges) else 0
    return [
        (top + row * (height + border), left + column * (width + border), height, width)
        for row in range(rows)
        for column in range(columns)
    ]


@lru_cache(maxsize=1)
def _decode(path: Path, numbers: tuple[int, ...]) -> Tensor:
    """Frames ``(T, C, H, W)``; the tiles of one grid are read one after the other, and decoded once."""
    return torch.stack(list(open_clip(path).iter_frames(numbers)))


def _codec(path: Path, clip: object) -> str:
    if isinstance(clip, FrameFolder):
        return f"{list_stills(path)[0].suffix.lower().lstrip('.')} frames"
    if isinstance(clip, StillFile):
        return f"{path.suffix.lower().lstrip('.')} still"
    if isinstance(clip, VideoFile):
        return probe_video(path).codec
    return "DICOM" if isinstance(clip, DicomFile) else type(clip).__name__.removesuffix("File")
