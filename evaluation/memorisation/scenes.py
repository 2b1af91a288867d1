# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Patients and their recordings for the simulation of the gate: phantoms, and a stand-in for their latents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.data import get_phantom
from monai_feat.transforms.functional import rgb_to_grey

from .planting import MARGIN

__all__ = ["Design", "block_cosines"]

BLOCK = 4  # pixels of a side of a block


@dataclass(frozen=True)
class Design:
    """What is simulated.

    Attributes:
        kind: of phantom.
        num_train: training clips.
        num_held_out: held-out clips.
        num_fake: synthetic clips.
        recordings: clips of each patient in the training set and in the held-out set.
        num_frames: frames T of a clip.
        size: rows and columns.
        false_positive_rate: that the gate is set to.
    """

    kind: str
    num_train: int = 128
    num_held_out: int = 64
    num_fake: int = 64
    recordings: int = 2
    num_frames: int = 16
    size: int = 64
    false_positive_rate: float = 0.05

    def video(self, seed: int, patient: int, recording: int = 0, frames: int | None = None) -> Tensor:
        """Render a recording, uint8 ``(C, 4 + T + 4, H, W)``, or its first so many frames."""
        length = self.num_frames + 2 * MARGIN if frames is None else frames
        clip_seed = _derive(seed, 1, patient, recording)
        return get_phantom(self.kind)(clip_seed, self.size, length, patient_seed=_derive(seed, 0, patient)).image


def _derive(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


def block_cosines(clips: Iterable[Tensor]) -> Tensor:
    """Stand in for an autoencoder: the four lowest cosines of each block of 4 x 4 grey pixels.

    Args:
        clips: uint8 ``(C, T, H, W)``.

    Returns:
        float32 ``(N, 4, T, H / 4, W / 4)``.
    """
    waves = torch.stack([torch.ones(BLOCK), torch.cos(torch.pi / BLOCK * (torch.arange(BLOCK) + 0.5))])
    kernel = torch.einsum("ay,bx->abyx", waves, waves).reshape(4, 1, BLOCK, BLOCK)
    grey = (rgb_to_grey(clip) if clip.shape[0] == 3 else clip for clip in clips)
    return torch.stack([F.conv2d(clip.float().transpose(0, 1), kernel, stride=BLOCK).transpose(0, 1) for clip in grey])
