# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Features of random networks: nothing to download, nothing learnt, the same on every machine.

Letters: B clips, C channels, T frames, H × W pixels, K channels of one layer, D features of one seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from monai_feat.metrics.features.base import FeatureNetwork, to_rgb
from monai_feat.metrics.functional.clips import check_clips

__all__ = ["RandomVideoFeatures"]

_VERSION = 2  # raise it with anything that moves a feature
_SIDE = 64  # pixels of the frames that networks see
_MIN_SIDE = 32  # enlarging smaller frames would only make them look blurred
_WIDTHS = (8, 12, 12, 16)  # K of each layer; each but the first halves H and W


class RandomVideoFeatures(FeatureNetwork):
    """Statistics of the activations of small random 3-D networks, one network for each seed.

    Source: random networks are usual feature extractors of generative scores (Naeem et al. 2020), but averaging their
    last layer, as published video scores do, all but hides blur and frozen frames. Here each of four layers, of finer
    and coarser scale, gives four numbers for every channel: mean and standard deviation, and those of its mean absolute
    change from one frame to the next. It is not FVD, whose network has learnt from sports videos; numbers of the two
    cannot be compared.

    Weights are uniform numbers of a Mersenne twister, drawn in float64 on the CPU: the same on every platform; features
    then agree to rounding. Clips may have any size from 32 x 32 px and any T from 2; frames are brought to 64 x 64 px
    by an antialiased filter, without regard to their proportions, so that nothing is cut off. What is finer than that
    is not seen. Grey clips are taken as RGB of equal channels.

    Args:
        seeds: of the networks; each gives its own block of features. What one network sees and how strongly varies with
            its seed: take four or more, and average.

    Attributes:
        parts: the features of each seed, as slices of the columns.
        resolution: differences between clips that are not to be read below, for
            :func:`~monai_feat.metrics.functional.standardise_features`.

    Raises:
        ValueError: there are no seeds, or one twice.

    Example:
        >>> network = RandomVideoFeatures(seeds=(0, 1))
        >>> network(torch.zeros(2, 3, 4, 32, 32, dtype=torch.uint8)).shape
        torch.Size([2, 384])
        >>> network.parts
        {'seed_0': slice(0, 192, None), 'seed_1': slice(192, 384, None)}
    """

    resolution = 1e-3

    def __init__(self, seeds: Sequence[int] = (0, 1, 2, 3)) -> None:
        super().__init__()
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError(f"expected at least one seed and none twice, got {tuple(seeds)}")
        self.name = "random_features"
        self.seeds = tuple(seeds)
        self.networks = nn.ModuleList(_RandomNetwork(seed) for seed in seeds)
        size = 4 * sum(_WIDTHS)
        self.parts = {f"seed_{seed}": slice(i * size, (i + 1) * size) for i, seed in enumerate(seeds)}
        self.num_features = size * len(seeds)

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        """Seeds, version of the architecture, and how pixels are prepared."""
        seeds = " ".join(map(str, self.seeds))
        return {"name": self.name, "version": _VERSION, "seeds": seeds, "side": _SIDE, "resolution": self.resolution}

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features ``(B, D * seeds)`` of uint8 clips ``(B, C, T, H, W)``.

        Raises:
            TypeError: the pixels are not uint8.
            ValueError: there are neither one nor three channels, fewer than two frames, or less than 32 x 32 pixels.
        """
        check_clips(pixels, min_frames=2, min_side=_MIN_SIDE)
        clips = _prepare(pixels)  # (B, 3, T, 64, 64)
        return torch.cat([network(clips) for network in self.networks], dim=1)


class _RandomNetwork(nn.Module):
    """Four convolutions with random weights of unit gain; every frame stays, so that T = 2 will do."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = Generator().manual_seed(seed)
        widths = (3, *_WIDTHS)
        self.layers = nn.ModuleList(
            _random_convolution(widths[i], widths[i + 1], 1 if i == 0 else 2, generator) for i in range(len(_WIDTHS))
        )

    def forward(self, clips: Tensor) -> Tensor:
        features = []
        for layer in self.layers:
            clips = F.relu(layer(clips))  # (B, K, T, H / 2^i, W / 2^i)
            features.append(_summary(clips))
        return torch.cat(features, dim=1)  # (B, D)


def _prepare(pixels: Tensor) -> Tensor:
    """Map uint8 clips to float in [-1, 1] on frames of one size, ``(B, 3, T, 64, 64)``."""
    frames = pixels.transpose(1, 2).flatten(0, 1).float()  # (B·T, C, H, W)
    if frames.shape[-2:] != (_SIDE, _SIDE):
        frames = F.interpolate(frames, (_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)
    frames = frames.unflatten(0, (len(pixels), -1)).transpose(1, 2)
    return to_rgb(frames) / 127.5 - 1


def _random_convolution(in_channels: int, out_channels: int, stride: int, generator: Generator) -> nn.Conv3d:
    """A 3 x 3 x 3 convolution whose output varies as its input does: uniform weights of variance 2 / fan-in."""
    layer = nn.Conv3d(
        in_channels, out_channels, 3, stride=(1, stride, stride), padding=1, padding_mode="replicate"
    ).requires_grad_(False)
    bound = math.sqrt(6 / (27 * in_channels))
    for values, limit in ((layer.weight, bound), (layer.bias, 0.5)):
        assert values is not None
        values.copy_(limit * (2 * torch.rand(values.shape, generator=generator, dtype=torch.float64) - 1))
    return layer


def _summary(activations: Tensor) -> Tensor:
    """Return mean and deviation of each channel, and those of its mean change from frame to frame, ``(B, 4 K)``."""
    flat = activations.flatten(2)  # (B, K, T·H·W)
    mean = flat.mean(dim=2)
    # std() of torch does the same in one pass, and takes twice as long as all convolutions.
    deviation = ((flat - mean[..., None]).square_().sum(dim=2) / (flat.shape[2] - 1)).sqrt()
    frames = activations.flatten(3)  # (B, K, T, H·W)
    change = (frames[:, :, 1:] - frames[:, :, :-1]).abs_().mean(dim=3)  # (B, K, T - 1)
    return torch.cat([mean, deviation, change.mean(dim=2), change.std(dim=2, correction=0)], dim=1)
