# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The frames of clips one by one, for what looks at single frames, such as the training of a frame autoencoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

__all__ = ["SingleFrames", "open_frames"]


class SingleFrames(Dataset[dict[str, Any]]):
    """Clips of T frames as T times as many clips of one frame.

    So an autoencoder learns from the very clips that a diffusion model learns from afterwards, and these are read once.

    Args:
        clips: items with an ``image``, ``(C, T, H, W)``, all of as many frames, and perhaps other tensors of that many,
            such as ``label``.

    Example:
        >>> from monai_feat.data import PhantomDataset
        >>> frames = SingleFrames(PhantomDataset("ultrasound", length=2, size=32, num_frames=3))
        >>> len(frames), tuple(frames[5]["image"].shape)
        (6, (1, 1, 32, 32))
    """

    def __init__(self, clips: Dataset[dict[str, Any]]) -> None:
        self.clips = clips
        self.num_frames: int = clips[0]["image"].shape[1]

    def __len__(self) -> int:
        return len(self.clips) * self.num_frames  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> dict[str, Any]:
        clip, frame = divmod(range(len(self))[index], self.num_frames)
        item = self.clips[clip]
        return {key: value[:, frame : frame + 1] if self._is_clip(value) else value for key, value in item.items()}

    def _is_clip(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.ndim == 4 and value.shape[1] == self.num_frames


def open_frames(
    data: Sequence[Mapping[str, Any]], clips: Callable[[Sequence[Mapping[str, Any]]], Dataset[dict[str, Any]]]
) -> SingleFrames:
    """Open clips, and hand out their frames one by one: `SingleFrames` of a list of files.

    Args:
        data: what is opened; MONAI's programs look for it, and replace it, under this name.
        clips: how it is opened, such as `open_clips` with all other arguments.
    """
    return SingleFrames(clips(data))
