# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Randomness that belongs to a clip and not to the batch or the process that happens to make the clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


class ClipNoise:
    """Source of standard normal noise in which every clip has a stream of its own.

    A stream depends on the seed and the clip's index alone: neither the batch size, nor the order of the clips, nor the
    number of processes, nor the device changes it. The streams are those of the counter-based generator Philox keyed by
    (seed, index), so that no two of them meet (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).

    Args:
        seed: seed of all clips, 0 to 2⁶⁴ - 1.
        indices: index of each clip of the batch, (B,), 0 to 2⁶⁴ - 1.
        shape: shape of one clip, such as (C, T, H, W).

    Raises:
        ValueError: if there is no clip, or the seed or an index is negative.

    Example:
        >>> both, alone = ClipNoise(0, [7, 8], (2,)), ClipNoise(0, [8], (2,))
        >>> bool((both.draw()[1] == alone.draw()[0]).all())
        True
    """

    def __init__(self, seed: int, indices: Sequence[int] | torch.Tensor, shape: Sequence[int]) -> None:
        keys = [int(index) for index in indices]
        if not keys or min(seed, *keys) < 0:
            raise ValueError(f"The seed is {seed} and the clip indices are {keys}, expected a clip, nothing below 0.")
        self.shape = tuple(shape)
        self._streams = [
            np.random.Generator(np.random.Philox(key=np.array([seed, key], dtype=np.uint64))) for key in keys
        ]

    def draw(self, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu") -> torch.Tensor:
        """Take the next noise from every stream.

        Args:
            dtype: dtype of the result; the values are those of float32.
            device: device of the result.

        Returns:
            noise (B, *shape).
        """
        clips = [stream.standard_normal(self.shape, dtype=np.float32) for stream in self._streams]
        return torch.from_numpy(np.stack(clips)).to(device=device, dtype=dtype)

    def uniform(self, count: int = 1) -> torch.Tensor:
        """Take the next numbers from every stream, evenly spread over [0, 1); returns ``(B, count)``, float32."""
        return torch.from_numpy(np.stack([stream.random(count, dtype=np.float32) for stream in self._streams]))
