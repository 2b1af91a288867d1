# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Randomness that belongs to a clip and not to the batch or the process that happens to make the clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

_FAR = (0, 0, 0, 1)  # counter of a stream's other part, which the noise never reaches
_FARTHER = (0, 0, 0, 2)


class ClipNoise:
    """Source of standard normal noise in which every clip has a stream of its own.

    A stream depends on the seed and the clip's index alone: neither the batch size, nor the order of the clips, nor the
    number of processes, nor the device changes it. The streams are those of the counter-based generator Philox keyed by
    (seed, index), so that no two of them meet (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).

    A long clip may live on the noise of one window, so that it shows one scene: what follows the window repeats its
    frames of noise, shuffled within quarters of it. Every window that starts with a quarter then holds the same frames
    of noise, in an order of its own, and they are as independent as those of a short clip (Qiu et al., "FreeNoise",
    https://arxiv.org/abs/2310.15169).

    Args:
        seed: seed of all clips, 0 to 2⁶⁴ - 1.
        indices: index of each clip of the batch, (B,), 0 to 2⁶⁴ - 1.
        shape: shape of one clip, such as (C, T, H, W).
        window: frames after which the noise of a longer clip comes back; None for never.

    Raises:
        ValueError: if there is no clip, the seed or an index is negative, or the window holds no frame.

    Example:
        >>> both, alone = ClipNoise(0, [7, 8], (2,)), ClipNoise(0, [8], (2,))
        >>> bool((both.draw()[1] == alone.draw()[0]).all())
        True
    """

    def __init__(
        self,
        seed: int,
        indices: Sequence[int] | torch.Tensor,
        shape: Sequence[int],
        window: int | None = None,
    ) -> None:
        keys = [int(index) for index in indices]
        if not keys or min(seed, *keys) < 0:
            raise ValueError(
                f"The seed is {seed} and the clip indices are {keys}, expected at least one, all 0 or more."
            )
        if window is not None and window < 1:
            raise ValueError(f"The window is {window} frames, expected 1 or more.")
        self.num_clips, self.shape = len(keys), tuple(shape)
        self._seeds = [int(_stream(seed, key, _FARTHER).integers(2**63)) for key in keys]
        self._streams = [_stream(seed, key) for key in keys]
        self._orders: list[list[int]] | None = None
        if window is not None and window < shape[1]:
            self.shape = (shape[0], window, *shape[2:])
            self._orders = [_shuffled_frames(_stream(seed, key, _FAR), window, shape[1]) for key in keys]

    def draw(self, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu") -> torch.Tensor:
        """Take the next noise from every stream.

        Args:
            dtype: dtype of the result; the values are those of float32.
            device: device of the result.

        Returns:
            noise (B, *shape), for the shape that was asked for.
        """
        clips = [stream.standard_normal(self.shape, dtype=np.float32) for stream in self._streams]
        if self._orders is not None:
            clips = [clip[:, order] for clip, order in zip(clips, self._orders, strict=True)]
        return torch.from_numpy(np.stack(clips)).to(device=device, dtype=dtype)

    def uniform(self, count: int = 1) -> torch.Tensor:
        """Take the next numbers from every stream, evenly spread over [0, 1); returns ``(B, count)``, float32."""
        return torch.from_numpy(np.stack([stream.random(count, dtype=np.float32) for stream in self._streams]))

    def generators(self, device: str | torch.device = "cpu") -> list[torch.Generator]:
        """Make a generator of each clip, (B,), apart from its noise; what they draw depends on the device."""
        return [torch.Generator(device).manual_seed(seed) for seed in self._seeds]


def _stream(seed: int, index: int, counter: Sequence[int] = (0, 0, 0, 0)) -> np.random.Generator:
    key, start = (np.array(words, dtype=np.uint64) for words in ((seed, index), counter))
    return np.random.Generator(np.random.Philox(key=key, counter=start))


def _shuffled_frames(random: np.random.Generator, window: int, num_frames: int) -> list[int]:
    """Return which of the window's frames each frame repeats."""
    quarter = max(1, window // 4)
    frames = list(range(window))
    while len(frames) < num_frames:
        before = len(frames) - window  # as many frames as in a quarter, fewer where they end with the window
        repeated = frames[before : before + min(quarter, window - len(frames) % window)]
        frames += [repeated[place] for place in random.permutation(len(repeated))]
    return frames[:num_frames]
