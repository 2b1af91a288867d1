# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which frames of which clips a training sees in which step, a function of the seed and the step alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.utils.data import Dataset

from monai_feat.apps.auto3dseg.settings import SegmentationSettings
from monai_feat.data import SegmentationClips, open_segmentation_clips
from monai_feat.losses import consistency_ramp
from monai_feat.transforms import ClipAugmentation

__all__ = ["TrainingSamples", "open_training_samples"]

_LABELLED, _UNLABELLED = 0, 1


class TrainingSamples(Dataset[dict[str, Any]]):
    """The samples of a whole training, in order: ``batch_size`` times ``max_steps`` of them.

    Sample k is a window of ``num_frames`` frames anywhere in a clip. Every clip comes once before any comes again, in
    an order drawn anew each time. So the number of clips changes neither the number of steps nor what else is drawn,
    and a training that was stopped goes on with the same samples.

    An item holds ``image``, float32 in [-1, 1], ``(C, T, H, W)``, and ``label``, ``(1, T, H, W)``; with clips without
    masks also ``unlabelled``, augmented by ``"standard"``, ``unlabelled_strong``, the same after strong changes of its
    pixels, and ``ramp``, the weight of the consistency in this step.

    Args:
        clips: the clips with masks.
        unlabelled: those without, or None.
        settings: of the training.
        first_step: steps that are done already; their samples are left out.
    """

    def __init__(
        self,
        clips: SegmentationClips,
        unlabelled: SegmentationClips | None,
        settings: SegmentationSettings,
        first_step: int = 0,
    ) -> None:
        self.clips, self.unlabelled, self.settings = clips, unlabelled, settings
        self.first = first_step * settings.batch_size
        self.augmentation = ClipAugmentation(settings.augmentation, settings.frame_size)
        self.weak = ClipAugmentation("standard", settings.frame_size)
        self.strong = ClipAugmentation("strong", settings.frame_size)
        self._order = lru_cache(maxsize=4)(self._draw_order)

    def __len__(self) -> int:
        return self.settings.max_steps * self.settings.batch_size - self.first

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = self.first + range(len(self))[index]
        pixels, label, seed = self._window(self.clips, _LABELLED, number)
        self.augmentation.set_random_state(seed)
        moved, label = self.augmentation.move(pixels, label)
        item: dict[str, Any] = {"image": 2 * self.augmentation.shade(moved) - 1, "label": label}
        if self.unlabelled is None:
            return item
        done = number / (self.settings.max_steps * self.settings.batch_size)
        return {**item, **self._unlabelled(self.unlabelled, number), "ramp": np.float32(consistency_ramp(done))}

    def _unlabelled(self, clips: SegmentationClips, number: int) -> dict[str, Tensor]:
        pixels, _, seed = self._window(clips, _UNLABELLED, number)
        self.weak.set_random_state(seed)
        self.strong.set_random_state(seed)
        moved, _ = self.weak.move(pixels)
        return {"unlabelled": 2 * moved - 1, "unlabelled_strong": 2 * self.strong.shade(moved) - 1}

    def _window(self, clips: SegmentationClips, stream: int, number: int) -> tuple[Tensor, Tensor | None, int]:
        """Pixels in [0, 1], classes and a seed for what is done to them."""
        rng = np.random.default_rng([self.settings.seed, stream, number])
        cycle, place = divmod(number, len(clips))
        clip = int(self._order(stream, cycle, len(clips))[place])
        length = self.settings.num_frames
        start = int(rng.integers(max(1, clips.frames[clip] - length + 1)))
        pixels, label = clips.window(clip, start, length)
        return pixels.float() / 255, label, int(rng.integers(2**31))

    def _draw_order(self, stream: int, cycle: int, length: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng([self.settings.seed, stream, cycle, length]).permutation(length)


def open_training_samples(
    data: Sequence[Mapping[str, Any]], settings: SegmentationSettings, first_step: int = 0
) -> TrainingSamples:
    """Open clips with masks, and hand out the samples of a training on them.

    Args:
        data: dicts with the paths ``image`` and ``label``, or what `list_segmentation_clips` returns; MONAI's programs
            look for it, and replace it, under this name.
        settings: of the training; they have the size, the channels and the classes too.
        first_step: steps that are done already.

    Raises:
        DatalistError: a file cannot be read or does not fit.
    """
    clips = open_segmentation_clips(
        data, settings.frame_size, settings.image_channels, settings.num_classes, settings.legend
    )
    return TrainingSamples(clips, None, settings, first_step)
