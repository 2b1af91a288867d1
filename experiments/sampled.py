# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips sampled by a bundle's config, and what each of them took."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from monai.bundle import ConfigParser
from torch import Tensor

from monai_feat.transforms.functional import to_uint8

__all__ = ["Sampled", "sample"]

BATCH_SIZE = 8


@dataclass(frozen=True)
class Sampled:
    """Sampled clips.

    Attributes:
        pixels: uint8 ``(N, C, T, H, W)``.
        seconds: for each clip, decoding included: of the processor, whoever else may use it; on a GPU, of the clock.
    """

    pixels: Tensor
    seconds: float


def sample(config: ConfigParser, num_clips: int) -> Sampled:
    """Sample the first clips of a bundle's ``inference`` config, with the guidance that it asks for."""
    denoiser, inferer, device = map(config.get_parsed_content, ("denoiser", "inferer", "device"))
    denoiser.eval()
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    started = clock()
    batches = torch.arange(num_clips, device=device).split(BATCH_SIZE)
    pixels = torch.cat([to_uint8(inferer(indices, denoiser)).cpu() for indices in batches])
    return Sampled(pixels, (clock() - started) / num_clips)
